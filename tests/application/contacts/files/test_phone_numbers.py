"""Reading phone cells in every region: both ways agree, and agree with the metadata.

The expectation of the property tests is built, not read: a valid number is taken from
libphonenumber's metadata, then written in a legal way or damaged in a known way.
"""

import re
from collections.abc import Callable, Iterator
from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import (
    known_region,
    phone_reader,
    read_by_library,
)
from tests.examples import examples

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CALLED = (
    "fixed_line",
    "mobile",
    "toll_free",
    "voip",
    "personal_number",
    "voicemail",
)
REFUSED = ("premium_rate", "shared_cost", "pager", "uan")
JUNK = [
    *("", " ", "+", "+1", "n/a", "555-1234", "000-000-0000", "+1 (999) 000-0000"),
    *("1-800-FLOWERS", "(530) 583-6985 x302/x2303", "+1 415 555 2671 / 2672"),
    *("++14155552671", "+4155552671", "+1 1 415 555 2671", "4155552671\x00"),
    *("41555526712", "(" * 300 + "4155552671", " " * 240 + "4155552671", "2020-12-03"),
]


# --- The patterns and the library -------------------------------------------------


def spelled(digits: str, random: Random) -> str:
    """Put separators between some of the digits."""
    return "".join(
        digit + random.choice(["", "", "", " ", "-", ".", ")", "(", "/", " - "])
        for digit in digits
    )


def north_america(random: Random, step: int) -> Iterator[str]:
    """Every area code, or each `step`-th, in several spellings."""
    for area in range(200, 1000, step):
        digits = f"{area}{random.randrange(1000):03d}{random.randrange(10_000):04d}"
        yield random.choice(["", "+1", "1", "+", "+11"]) + digits
        yield spelled(random.choice(["", "1"]) + digits, random)


def examples_of(region: str) -> dict[str, str]:
    """Return the metadata's example of each kind of number."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    descriptions = {kind: getattr(metadata, kind) for kind in CALLED + REFUSED}
    return {
        kind: description.example_number
        for kind, description in descriptions.items()
        if description is not None and description.example_number
    }


def numbers_of(region: str, random: Random, count: int) -> Iterator[str]:
    """Valid and nearly valid numbers, dialled at home and from abroad."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    examples = list(examples_of(region).values())
    code, home = metadata.country_code, metadata.national_prefix or ""
    prefixes = ["", home, f"+{code}", f"{code}", f"+{code}{home}", "0", f"00{code}"]
    for _ in range(count):
        digits = list(random.choice(examples))
        for _ in range(random.randrange(4)):
            digits[random.randrange(len(digits))] = random.choice("0123456789")
        yield random.choice(prefixes) + "".join(digits)
        yield spelled(random.choice(prefixes) + "".join(digits), random)


def disagreements(numbers: Iterator[str], region: str) -> list[str]:
    return [
        number
        for number in numbers
        for any_kind in (False, True)
        if phone_reader(region, any_kind=any_kind)(number)
        != read_by_library(number, region, any_kind=any_kind)
    ]


@pytest.mark.parametrize(
    ("region", "step"), [("US", 1), ("CA", 3), ("GB", 9), ("BS", 9)]
)
def test_north_american_numbers_are_read_as_the_library_reads_them(
    region: str, step: int
) -> None:
    assert disagreements(north_america(Random(region), step), region) == []


def test_numbers_of_every_region_are_read_as_the_library_reads_them() -> None:
    random = Random(11)
    wrong = {
        region: disagreements(numbers_of(region, random, 4), region)
        for region in REGIONS
    }
    assert {region: found for region, found in wrong.items() if found} == {}


def test_foreign_numbers_are_read_as_the_library_reads_them() -> None:
    random = Random(13)
    foreign = (
        number
        for region in ("GB", "DE", "FR", "IT", "MX", "BR", "IN", "AU", "JP", "AR")
        for number in numbers_of(region, random, 30)
    )
    assert disagreements(foreign, "US") == []


@pytest.mark.parametrize("region", ["US", "GB", "DK", "ZZ"])
def test_junk_is_read_as_the_library_reads_it(region: str) -> None:
    assert disagreements(iter(JUNK), region) == []


# --- Valid numbers, written or damaged in a known way -----------------------------

type Writer = Callable[[phonenumbers.PhoneNumber, str], str]


def e164(number: phonenumbers.PhoneNumber) -> str:
    zeros = "0" * (number.number_of_leading_zeros or 1)
    lead = zeros if number.italian_leading_zero else ""
    return f"+{number.country_code}{lead}{number.national_number}"


def national(number: phonenumbers.PhoneNumber) -> str:
    return e164(number).removeprefix(f"+{number.country_code}")


def formatted(style: int) -> Writer:
    return lambda number, _region: phonenumbers.format_number(number, style)


WRITERS: dict[str, Writer] = {
    "e164": lambda number, _: e164(number),
    "international": formatted(PhoneNumberFormat.INTERNATIONAL),
    "at home": formatted(PhoneNumberFormat.NATIONAL),
    "tel link": formatted(PhoneNumberFormat.RFC3966),
    "with the international prefix": phonenumbers.format_out_of_country_calling_number,
    "full width": lambda number, _: "".join(chr(ord(c) + 0xFEE0) for c in e164(number)),
    "Arabic digits": lambda number, _: re.sub(
        "[0-9]", lambda digit: chr(0x660 + int(digit[0])), e164(number)
    ),
    "in parentheses": lambda number, _: f"(+{number.country_code}) {national(number)}",
    "en dashes": lambda number, _: (
        f"+{number.country_code}\u2013{national(number)[:2]}\u2013{national(number)[2:]}"
    ),
    "spreadsheet text": lambda number, _: f'="{e164(number)}"',
    "apostrophe": lambda number, _: f"'{e164(number)}",
    "label": lambda number, _: f"Mobile: {e164(number)}",
    "invisible marks": lambda number, _: f"\ufeff\u202a{e164(number)}\u202c",
}
EXTENSIONS = {
    "": None,
    " ext. 5": "5",
    " x0042": "0042",
    ";ext=123": "123",
    " #7": "7",
    " (ext 99)": "99",
}
DAMAGES: dict[str, Callable[[str], str]] = {
    "trailing letters": lambda text: text[:-3] + "xyz",
    "mask": lambda text: text[:-4] + "XXXX",
    "word before": lambda text: f"do not call {text}",
    "word after": lambda text: f"{text} wrong number",
    "fax": lambda text: f"Fax: {text}",
    "letters in place of digits": lambda text: text[:-4] + "CALL",
    "fraction": lambda text: f"{text}.0",
    "decimal comma": lambda text: f"{text},0",
    "exponent": lambda text: f"{text[:2]}.{text[2:6]}E+{len(text) - 2}",
    "exponent of a whole mantissa": lambda text: f"{text[1:2]}.{text[2:]}E{len(text)}",
    "second number after a slash": lambda text: f"{text} / {text}",
    "second number after a comma": lambda text: f"{text}, {text}",
    "second number after a semicolon": lambda text: f"{text};{text}",
    "second number in a new line": lambda text: f"{text}\n{text}",
    "two plus signs": lambda text: f"+{text}",
    "plus behind": lambda text: text[1:] + "+",
    "plus and zeros": lambda text: f"+00{text[1:]}",
    "e-mail address": lambda text: f"ann{text[1:]}@example.com",
    "URL": lambda text: f"https://wa.me/{text[1:]}",
    "price": lambda text: f"${text[1:]}",
    "identifier": lambda text: f"ID#{text[1:]}",
    "tildes": lambda text: f"{text[:4]}~{text[4:]}",
    "feature code": lambda text: f"*67 {text[1:]}",
    "option": lambda text: f"{text} option 2",
    "line break": lambda text: f"{text[:4]}\n{text[4:]}",
    "dangling extension": lambda text: f"{text} ext.",
}


def kinds_by_metadata(region: str, digits: str) -> set[str]:
    """Name every kind whose pattern the national number matches."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    return {
        kind
        for kind in CALLED + REFUSED
        if (one := getattr(metadata, kind)) is not None
        and one.national_number_pattern
        and re.fullmatch(one.national_number_pattern, digits)
        and len(digits) in one.possible_length
    }


def samples() -> list[tuple[str, str, phonenumbers.PhoneNumber]]:
    """Return region, kind and number of all examples whose kind is unambiguous."""
    found = []
    for region in REGIONS:
        code = phonenumbers.country_code_for_region(region)
        for kind, digits in examples_of(region).items():
            kinds = kinds_by_metadata(region, digits)
            if kinds <= set(CALLED) or kinds <= set(REFUSED):
                number = phonenumbers.parse(f"+{code}{digits}")
                found.append((region, kind, number))
    return found


SAMPLES = samples()


def test_there_are_samples_of_every_region_and_of_most_kinds() -> None:
    assert {region for region, _, _ in SAMPLES} == set(REGIONS)
    assert {kind for _, kind, _ in SAMPLES} >= {*CALLED, *REFUSED} - {"voicemail"}


@examples(80)
@given(
    sample=st.sampled_from(SAMPLES),
    write=st.sampled_from(sorted(WRITERS)),
    extension=st.sampled_from(sorted(EXTENSIONS)),
    any_kind=st.booleans(),
)
def test_a_valid_number_is_read_however_it_is_written(
    sample: tuple[str, str, phonenumbers.PhoneNumber],
    write: str,
    extension: str,
    any_kind: bool,
) -> None:
    region, kind, number = sample
    text = WRITERS[write](number, region)
    cell = text if write == "spreadsheet text" else text + extension
    kept = None if write == "spreadsheet text" else EXTENSIONS[extension]
    read = phone_reader(region, any_kind=any_kind)(cell)
    if kind in CALLED or any_kind:
        assert read == (e164(number), kept)
    else:
        assert isinstance(read, InvalidPhone)


@examples(80)
@given(
    sample=st.sampled_from(SAMPLES),
    damage=st.sampled_from(sorted(DAMAGES)),
    at_home=st.sampled_from(REGIONS),
)
def test_a_damaged_cell_is_never_read_as_a_number(
    sample: tuple[str, str, phonenumbers.PhoneNumber], damage: str, at_home: str
) -> None:
    _, _, number = sample
    cell = DAMAGES[damage](e164(number))
    read = phone_reader(at_home, any_kind=True)(cell)
    assert isinstance(read, InvalidPhone), (cell, read)
    assert cell.split()[0][:2] in read.message


def test_only_a_region_with_numbers_is_known() -> None:
    assert known_region("US")
    assert not known_region("us")
    assert not known_region("ZZ")
