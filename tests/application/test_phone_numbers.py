"""The quick way and the whole library must never disagree."""

from collections.abc import Iterator
from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from application.phone_numbers import known_region, normalise, normalise_by_library

KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "voip", "uan", "pager")
JUNK = [
    "",
    " ",
    "+",
    "+1",
    "n/a",
    "555-1234",
    "000-000-0000",
    "+1 (999) 000-0000",
    "1-800-FLOWERS",
    "1-800-MICROSOFT",
    "(415) 555-2671 x123",
    "415-555-2671 ext. 9",
    "415.555.2671,,77",
    "(530) 583-6985 x302/x2303",
    "tel:+1-415-555-2671;ext=5",
    "Tel: 415 555 2671",
    "+1 415 555 2671 / +1 415 555 2672",
    "++14155552671",
    "+4155552671",
    "+1 1 415 555 2671",
    "011 44 20 7946 0018",
    "00 1 415 555 2671",
    "(+1) 415-555-2671",
    "415\u2013555\u20132671",
    "415\u00a0555\u00a02671",
    "\uff14\uff11\uff15\uff15\uff15\uff15\uff12\uff16\uff17\uff11",
    "\u0664\u0661\u0665\u0665\u0665\u0665\u0662\u0666\u0667\u0661",
    "\uff0b14155552671",
    "4155552671\x00",
    "41555526712",
    "(" * 300 + "4155552671",
    " " * 240 + "4155552671",
    " " * 241 + "4155552671",
]


def spelled(digits: str, random: Random) -> str:
    """Put what people put between digits between some of these."""
    return "".join(
        digit + random.choice(["", "", "", " ", "-", ".", ")", "(", "/", " - "])
        for digit in digits
    )


def north_america(random: Random) -> Iterator[str]:
    """Every area code, some exchanges, in several spellings."""
    for area in range(200, 1000):
        for exchange in random.sample(range(1000), 4):
            digits = f"{area}{exchange:03d}{random.randrange(10_000):04d}"
            yield random.choice(["", "+1", "1", "+", "+11"]) + digits
            yield spelled(random.choice(["", "1"]) + digits, random)


def numbers_of(region: str, random: Random, count: int) -> Iterator[str]:
    """Valid and nearly valid numbers, dialled at home and from abroad."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    descriptions = [getattr(metadata, kind) for kind in KINDS]
    examples = [each.example_number for each in descriptions if each is not None]
    code, home = metadata.country_code, metadata.national_prefix or ""
    prefixes = ["", home, f"+{code}", f"{code}", f"+{code}{home}", "0", f"00{code}"]
    for _ in range(count):
        digits = list(random.choice([each for each in examples if each]))
        for _ in range(random.randrange(4)):
            digits[random.randrange(len(digits))] = random.choice("0123456789")
        yield random.choice(prefixes) + "".join(digits)
        yield spelled(random.choice(prefixes) + "".join(digits), random)


def disagreements(numbers: Iterator[str], region: str) -> list[str]:
    return [
        number
        for number in numbers
        if normalise(number, region) != normalise_by_library(number, region)
    ]


@pytest.mark.parametrize("region", ["US", "CA", "GB", "BS"])
def test_north_american_numbers_are_read_as_the_library_reads_them(
    region: str,
) -> None:
    assert disagreements(north_america(Random(region)), region) == []


def test_numbers_of_every_region_are_read_as_the_library_reads_them() -> None:
    random = Random(11)
    wrong = {
        region: disagreements(numbers_of(region, random, 15), region)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    }
    assert {region: found for region, found in wrong.items() if found} == {}


def test_foreign_numbers_are_read_as_the_library_reads_them() -> None:
    random = Random(13)
    foreign = (
        number
        for region in ("GB", "DE", "FR", "IT", "MX", "BR", "IN", "AU", "JP", "AR")
        for number in numbers_of(region, random, 50)
    )
    assert disagreements(foreign, "US") == []


@pytest.mark.parametrize("region", ["US", "GB", "ZZ"])
def test_junk_is_read_as_the_library_reads_it(region: str) -> None:
    assert disagreements(iter(JUNK), region) == []


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("1 416 967 1111", "CA", "+14169671111"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 20 7946 0018", "US", "+442079460018"),
        ("06 698 12345", "IT", "+390669812345"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("415 555 2671 x12", "US", "+14155552671"),
        ("555-2671", "US", None),
        ("415 555 2671", "ZZ", None),
    ],
)
def test_a_number_becomes_e164(raw: str, region: str, expected: str | None) -> None:
    assert normalise(raw, region) == expected


def test_only_a_region_with_numbers_is_known() -> None:
    assert known_region("US")
    assert not known_region("us")
    assert not known_region("ZZ")
