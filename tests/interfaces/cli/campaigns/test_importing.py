"""`autolynx campaigns import-contacts`."""

from pathlib import Path

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from storage.database import connect
from tests.interfaces.cli.conftest import CommandLine

UNKNOWN = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"
HEADER = "name,business_name,phone\n"


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """Return a file with a new contact, a known one and an invalid number."""
    path = tmp_path / "more.csv"
    rows = "Cy,,2025550103\nAda,,2025550101\nDi,,12\n"
    path.write_text(HEADER + rows)
    return path


@pytest.fixture
def campaign(autolynx: CommandLine, simulator: object, tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(f"{HEADER}Ada,,2025550101\nBo,,2025550102\n")
    named = ("--assistant", DEFAULT_ASSISTANT_ID, "--name", "Spring")
    line = ("--phone-number", DEFAULT_PHONE_NUMBER_ID)
    made = autolynx.done("campaigns", "create", "--file", str(path), *named, *line)
    (id_,) = made.lines
    return id_


def uploads(database: str) -> int:
    with connect(database, name="test") as connection:
        row = connection.execute("select count(*) from upload").fetchone()
    assert row is not None
    return int(row[0])


def test_new_contacts_are_added_and_known_numbers_are_skipped(
    autolynx: CommandLine, campaign: str, more: Path
) -> None:
    import_more = ("campaigns", "import-contacts", campaign, "--file", str(more))
    report = autolynx.done(*import_more, "--json").json["report"]
    assert (report["accepted"], report["skippedCount"]) == (1, 2)
    reasons = [(row["row"], row["reason"]) for row in report["skipped"]]
    assert reasons == [(3, "DUPLICATE_IN_CAMPAIGN"), (4, "INVALID_PHONE")]
    shown = autolynx.done("campaigns", "show", campaign, "--json").json
    assert (shown["contacts"], shown["pending"]) == (3, 3)


def test_the_id_of_the_import_is_printed_and_the_skipped_rows_are_explained(
    autolynx: CommandLine, campaign: str, more: Path
) -> None:
    import_more = ("campaigns", "import-contacts", campaign, "--file", str(more))
    done = autolynx.done(*import_more)
    assert len(done.lines) == 1
    assert "1 contact, 2 rows skipped." in done.err
    assert "row 3: The campaign has this phone number already." in done.err


def test_an_import_into_a_canceled_campaign_is_refused_and_keeps_no_upload(
    autolynx: CommandLine, campaign: str, more: Path, database: str
) -> None:
    autolynx.done("campaigns", "cancel", campaign)
    before = uploads(database)
    refused = autolynx.refusal(
        "campaigns", "import-contacts", campaign, "--file", str(more)
    )
    assert "The campaign is canceled: create a new one." in refused
    assert uploads(database) == before


def test_an_import_into_an_unknown_campaign_is_refused_before_the_file_is_read(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("this is no contact file\n")
    refused = autolynx.refusal(
        "campaigns", "import-contacts", UNKNOWN, "--file", str(path)
    )
    assert f"campaign {UNKNOWN}" in refused
