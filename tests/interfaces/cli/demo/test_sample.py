from itertools import chain
from pathlib import Path

import pytest

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.contact_rows import AcceptedRow, SkippedRow
from domain.values import SkipReason
from interfaces.cli.demo.sample import MOST, area_codes, write_sample


def read(path: Path) -> tuple[list[AcceptedRow], list[SkippedRow]]:
    file = ContactFile(ReadOptions("US"))
    rows = file.feed(path.read_bytes())
    rows += chain.from_iterable(file.finish())
    accepted = [row for row in rows if isinstance(row, AcceptedRow)]
    return accepted, [row for row in rows if isinstance(row, SkippedRow)]


@pytest.mark.parametrize("contacts", [1, 2, 30, 1_000])
def test_the_good_rows_are_accepted_and_the_bad_ones_are_not(
    tmp_path: Path, contacts: int
) -> None:
    phones = write_sample(tmp_path / "people.csv", contacts)
    accepted, skipped = read(tmp_path / "people.csv")
    assert [row.phone for row in accepted] == phones
    assert len(phones) == contacts
    assert {row.variables["plan"] for row in accepted} <= {
        "starter",
        "team",
        "business",
    }
    assert sorted(row.reason for row in skipped) == sorted(
        [
            SkipReason.INVALID_PHONE,
            SkipReason.MISSING_NAME,
            SkipReason.MISSING_PHONE,
            SkipReason.DUPLICATE_IN_FILE,
            SkipReason.MALFORMED_ROW,
        ]
    )


def test_every_number_is_reserved_for_fiction(tmp_path: Path) -> None:
    phones = write_sample(tmp_path / "people.csv", MOST)
    assert len(set(phones)) == MOST <= 100 * len(area_codes())
    assert all(phone[5:10] == "55501" for phone in phones)
