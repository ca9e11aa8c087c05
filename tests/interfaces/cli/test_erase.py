from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from interfaces.cli.demo.sample import write_sample
from storage.database import connect
from tests.database_dump import dumped, relation_files, statistics
from tests.interfaces.cli.campaigns.test_campaigns import create
from tests.interfaces.cli.conftest import CommandLine
from tests.simulator import Simulator


def test_a_person_is_erased_by_number_or_by_contact(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path, database: str
) -> None:
    write_sample(tmp_path / "people.csv", 7)
    id_ = create(autolynx, tmp_path / "people.csv").lines[0]
    with connect(database, name="test") as conn:
        query = "select contact_id, phone from contact_vault order by contact_id"
        (_, number), (other, others_number), *_ = conn.execute(query).fetchall()
    assert autolynx.done("erase", "--phone", spoken(number)).lines == [
        "Erased: 1 contact, 0 calls."
    ]
    done = autolynx.done("erase", "--contact", str(other), "--json").json
    assert done["contacts"] == [str(other)]
    left = dumped(database)
    assert number[1:].encode() not in left
    assert others_number[1:].encode() not in left
    assert b'"actor":"cli:' in left
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert (shown["pending"], shown["canceled"]) == (5, 2)


@pytest.mark.usefixtures("simulator")
def test_an_erasure_leaves_nothing_in_statistics_and_in_rewritten_files(
    autolynx: CommandLine, tmp_path: Path, database: str
) -> None:
    write_sample(tmp_path / "people.csv", 7)
    create(autolynx, tmp_path / "people.csv")
    first, second, *_ = numbers_in(database)
    with connect(database, name="test") as conn:
        conn.execute("analyze")
    assert first[1:].encode() in statistics(database)
    autolynx.done("erase", "--phone", first)
    assert first[1:].encode() not in statistics(database)
    autolynx.done("erase", "--phone", second, "--rewrite")
    for number in (first, second):
        assert number[1:].encode() not in relation_files(database)


@pytest.mark.usefixtures("simulator")
def test_an_erasure_reports_a_transaction_that_keeps_old_row_versions(
    autolynx: CommandLine, tmp_path: Path, database: str
) -> None:
    write_sample(tmp_path / "people.csv", 7)
    create(autolynx, tmp_path / "people.csv")
    first, *_ = numbers_in(database)
    with connect(database, name="dump") as dump, dump.transaction():
        dump.execute("set transaction isolation level repeatable read")
        dump.execute("select count(*) from contact_vault")
        done = autolynx.done("erase", "--phone", first)
    assert "older transaction" in done.err


def test_erase_needs_exactly_one_known_person(autolynx: CommandLine) -> None:
    for result in ((), ("--list", "--phone", "+12125550142")):
        assert "one of --phone, --contact" in autolynx.refusal("erase", *result, code=2)
    wrong = autolynx.refusal("erase", "--phone", "555", code=2)
    assert "with its country" in wrong
    masked = autolynx.refusal("erase", "--phone", "+1202555XXXX", code=2)
    assert "hides some of the digits" in masked
    nobody = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"
    assert "not erased yet" in autolynx.refusal("erase", "--contact", nobody)


@pytest.mark.usefixtures("simulator")
def test_a_stored_list_of_erasures_can_be_repeated_after_a_restore(
    autolynx: CommandLine,
    tmp_path: Path,
    database: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_sample(tmp_path / "people.csv", 7)
    made = create(autolynx, tmp_path / "people.csv")
    assert made.code == 0, made.err
    numbers = numbers_in(database)
    with copied(postgres_url, database) as restored:
        autolynx.done("erase", "--phone", numbers[0])
        autolynx.done("erase", "--phone", numbers[1])
        listed = autolynx.done("erase", "--list")
        assert [line.count("\t") for line in listed.lines] == [2, 2, 2]
        assert not any(number[1:] in listed.out for number in numbers)
        asked = f"{listed.out}\n# by letter\n{spoken(numbers[2])}\n"
        (tmp_path / "erased.txt").write_text(asked)
        monkeypatch.setenv("AUTOLYNX_DATABASE_URL", restored)
        assert numbers_in(restored) == numbers
        for erased in (3, 0):
            lines = autolynx.done("erase", "--from", "erased.txt").lines
            assert lines == [f"Erased: {erased} contacts, 0 calls."]
        left = dumped(restored)
        assert [n for n in numbers if n[1:].encode() in left] == numbers[3:]
        shown = autolynx.done("erase", "--list", "--json").json
        assert len({row["contactId"] for row in shown}) == 3


def test_an_invalid_list_of_erasures_erases_nobody(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "erased.txt").write_text("+12125550142\nAda\n")
    message = autolynx.refusal("erase", "--from", "erased.txt", code=2)
    assert "Line 2" in message
    message = autolynx.refusal("erase", "--from", "missing.txt", code=2)
    assert "cannot be read" in message
    assert autolynx.done("erase", "--list").lines == ["# contact\twhen\tby whom"]


def numbers_in(url: str) -> list[str]:
    with connect(url, name="test") as conn:
        query = "select phone from contact_vault where phone is not null order by 1"
        return [number for (number,) in conn.execute(query)]


def spoken(number: str) -> str:
    return f"{number[:2]} ({number[2:5]}) {number[5:8]}-{number[8:]}"


@contextmanager
def copied(server: str, url: str) -> Iterator[str]:
    """Copy a whole database; nobody may be connected."""
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}_copy template {name}".encode())
        yield urlsplit(url)._replace(path=f"/{name}_copy").geturl()
        connection.execute(f"drop database {name}_copy with (force)".encode())
