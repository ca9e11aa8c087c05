from pathlib import Path

from interfaces.cli.demo.sample import write_sample
from storage.database import connect
from tests.dumped import dumped
from tests.interfaces.cli.conftest import CommandLine
from tests.interfaces.cli.test_campaigns import create
from tests.simulator import Simulator


def test_a_person_is_erased_by_number_or_by_contact(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path, empty_database: str
) -> None:
    write_sample(tmp_path / "people.csv", 7)
    id_ = create(autolynx, tmp_path / "people.csv").lines[0]
    with connect(empty_database, name="test") as conn:
        query = "select contact_id, phone from contact_vault order by contact_id"
        (_, number), (other, others_number), *_ = conn.execute(query).fetchall()
    spoken = f"{number[:2]} ({number[2:5]}) {number[5:8]}-{number[8:]}"
    assert autolynx.done("erase", "--phone", spoken).lines == [
        "Erased: 1 contacts, 0 calls."
    ]
    done = autolynx.done("erase", "--contact", str(other), "--json").json
    assert done["contacts"] == [str(other)]
    left = dumped(empty_database)
    assert number[1:].encode() not in left
    assert others_number[1:].encode() not in left
    assert b'"actor":"cli:' in left
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert (shown["pending"], shown["canceled"]) == (5, 2)


def test_whom_to_erase_must_be_said_once_and_be_known(autolynx: CommandLine) -> None:
    assert "either --phone or --contact" in autolynx.refusal("erase", code=2)
    wrong = autolynx.refusal("erase", "--phone", "555", code=2)
    assert "with its country" in wrong
    nobody = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"
    assert "not erased yet" in autolynx.refusal("erase", "--contact", nobody)
