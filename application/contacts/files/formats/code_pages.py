"""Guess of the code page of text that is not UTF-8, from the letters it would hold.

Each code page is scored by how well the decoded text fits a language that is written in
it: letters of its alphabet count for the page; symbols within words, capitals after
small letters and mixed alphabets count against it. One name is usually enough.
`charset-normalizer` 3.5 needs more text: of the 55 lists of one name in the tests of
this module it reads 14 correctly.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxz")
_APOSTROPHE = "\u2019"
_OPENING = frozenset("\u2018\u201c\u201e\u201a«¿¡§€£\u2013\u2014•\u00a0")
_CLOSING = frozenset(f"{_APOSTROPHE}\u201d»…®™©°ºª²³€\u2013\u2014•\u00a0")
_USUAL_LEAD_BYTES = {
    "cp932": (0x88, 0x97),
    "euc_jp": (0xB0, 0xCF),
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
}
_LOWEST_TRAIL_BYTE = {"gb18030": 0xA1}
_DOUBLE = 2
_JAPANESE = frozenset({"cp932", "euc_jp"})


@dataclass(frozen=True, slots=True)
class CodePage:
    """A Python codec, its name for people, and the alphabets that it is used for.

    Each of `alphabets` is one language's letters outside ASCII, in lower case. Those of
    languages that are not written in Latin letters are in the order of their frequency.
    """

    codec: str
    name: str
    alphabets: tuple[str, ...] = ()
    is_multibyte: bool = False


_WESTERN = (
    "éèêëàâçîïôùûüœæ",  # French
    "äöüß",  # German
    "áéíóúñü",  # Spanish
    "ãõáéíóúâêôç",  # Portuguese
    "àèéìíòóùú",  # Italian
    "ëéïöüèáóç",  # Dutch
    "åäöé",  # Swedish, Finnish
    "æøåé",  # Danish, Norwegian
    "áéíóúýæö|þð",  # Icelandic
)
_CENTRAL = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovenian
    "ăâî",  # Romanian
    "äöüß",  # German
)
_CYRILLIC = (
    "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ",  # Russian, Bulgarian
    "оанитревсклудімпязьбгчхцжюїйєфшщґ",  # Ukrainian
)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž", "õäöüšž")

CODE_PAGES = (
    CodePage("cp1252", "Windows-1252 (Western European)", _WESTERN),
    CodePage("cp1250", "Windows-1250 (Central European)", _CENTRAL),
    CodePage("cp1251", "Windows-1251 (Cyrillic)", _CYRILLIC),
    CodePage("cp1254", "Windows-1254 (Turkish)", ("çğıöşü|âîû",)),
    CodePage("cp1253", "Windows-1253 (Greek)", ("αοιτεσνηρυςπκλμίόάγωέήδχύθφβώξζψϊϋ",)),
    CodePage("cp1257", "Windows-1257 (Baltic)", _BALTIC),
    CodePage("mac_roman", "Mac OS Roman", _WESTERN),
    CodePage("cp850", "code page 850 (DOS, Western European)", _WESTERN),
    CodePage("iso8859_2", "ISO 8859-2 (Central European)", _CENTRAL),
    CodePage("cp1255", "Windows-1255 (Hebrew)", ("יוהלארבתםשמנכדחקפצזסגעטןךףץ",)),
    CodePage(
        "cp1256", "Windows-1256 (Arabic)", ("المينروتبدعةسهفكقأحجشخصطضزغذىثئظءإآؤگپچژ",)
    ),
    CodePage("koi8_r", "KOI8-R (Cyrillic)", _CYRILLIC),
    CodePage("cp866", "code page 866 (DOS, Cyrillic)", _CYRILLIC),
    CodePage("mac_cyrillic", "Mac OS Cyrillic", _CYRILLIC),
    CodePage("cp932", "Shift JIS (Japanese)", is_multibyte=True),
    CodePage("gb18030", "GB 18030 (Chinese)", is_multibyte=True),
    CodePage("big5", "Big5 (Chinese)", is_multibyte=True),
    CodePage("euc_kr", "EUC-KR (Korean)", is_multibyte=True),
    CodePage("euc_jp", "EUC-JP (Japanese)", is_multibyte=True),
)
"""In the order of preference where two fit almost equally well."""

_RANK = 0.02


def guess_code_page(lines: Iterable[bytes]) -> CodePage:
    """Return the page in which these lines, none of them UTF-8, read best."""
    sample = list(lines)
    scores = [
        (_score(page, sample) - _RANK * rank, page)
        for rank, page in enumerate(CODE_PAGES)
    ]
    return max(scores, key=lambda scored: scored[0])[1]


def _score(page: CodePage, lines: list[bytes]) -> float:
    """Return a sum over the bytes outside ASCII; minus infinity if a byte is undefined.

    The sum is comparable between code pages, since each byte counts in each of them.
    """
    total = 0.0
    for line in lines:
        try:
            text = line.decode(page.codec)
        except UnicodeDecodeError:
            return float("-inf")
        if page.is_multibyte:
            total += _ideographs(page.codec, text)
        else:
            total += max(_letters(alphabet, text) for alphabet in page.alphabets)
    return total


def _letters(alphabet: str, text: str) -> float:
    weights = _weights(alphabet)
    padded = f" {text} "
    return sum(
        _letter(weights, before, character, after)
        for before, character, after in zip(
            padded, padded[1:], padded[2:], strict=False
        )
        if character > "\x7f"
    )


def _letter(weights: dict[str, float], before: str, it: str, after: str) -> float:
    """Score one character outside ASCII by its neighbours: about 1 at most."""
    if not it.isalpha():
        return _symbol(before, it, after)
    score = weights.get(it, -0.5)
    if before.islower() and it.isupper():
        score -= 1.0
    if it.islower() and after.isupper():
        score -= 0.5
    if before.isupper() and it.isupper():
        score -= 0.15
    if not (before.isalpha() or after.isalpha()):
        return min(score, 0.2)
    if not _is_latin(it):
        return score - (1.5 if _touches_ascii_letter(before, after) else 0.0)
    if before > "\x7f" and before.isalpha():
        score -= 0.5  # In European languages such letters seldom follow each other.
    if all(_base(one) in _CONSONANTS for one in (before, it, after)):
        score -= 0.75
    return score


def _touches_ascii_letter(before: str, after: str) -> bool:
    return any(one.isascii() and one.isalpha() for one in (before, after))


def _symbol(before: str, it: str, after: str) -> float:
    if it == _APOSTROPHE and before.isalpha() and after.isalpha():
        return 1.0
    if unicodedata.category(it) in {"Cc", "Cn", "Co"}:
        return -5.0
    if it in _OPENING:
        return -1.0 if before.isalpha() else 0.6
    if it in _CLOSING:
        return -1.0 if after.isalpha() else 0.6
    return -2.0 if before.isalpha() or after.isalpha() else -0.5


@cache
def _weights(alphabet: str) -> dict[str, float]:
    """Return a weight around 1 for each letter in both cases, 0.5 for those after |."""
    usual, _, rare = alphabet.partition("|")
    small = dict.fromkeys(usual, 1.0) | dict.fromkeys(rare, 0.5)
    if not _is_latin(alphabet[0]):
        small = {one: 1.25 - at / len(usual) for at, one in enumerate(usual)}
    return small | {one.upper(): weight for one, weight in small.items()}


@cache
def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


@cache
def _base(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0].lower()


def _ideographs(codec: str, text: str) -> float:
    """Score text in a code page of two bytes for each character, by its usual ones."""
    total = 0.0
    padded = f" {text} "
    for before, it, after in zip(padded, padded[1:], padded[2:], strict=False):
        if it > "\x7f":
            encoded = it.encode(codec)
            usual = _usual(codec, it, encoded)
            mixed = 1.5 if _touches_ascii_letter(before, after) else 0.0
            total += len(encoded) * usual - mixed
    return total


def _usual(codec: str, character: str, encoded: bytes) -> float:
    """Return 1 for the characters that most text in this code page consists of.

    The national standards put the few thousand usual characters in one range of lead
    bytes, ordered by their reading, and all others behind it.
    """
    if unicodedata.category(character)[0] in "PZ":
        return 0.0
    if codec == "euc_kr":
        return 1.1 if "\uac00" <= character <= "\ud7a3" else -0.5
    first, last = _USUAL_LEAD_BYTES[codec]
    is_usual = (
        len(encoded) == _DOUBLE
        and first <= encoded[0] <= last
        and encoded[1] >= _LOWEST_TRAIL_BYTE.get(codec, 0)
    )
    is_kana = codec in _JAPANESE and "\u3041" <= character <= "\u30ff"
    return 1.0 if is_usual or is_kana else -0.5
