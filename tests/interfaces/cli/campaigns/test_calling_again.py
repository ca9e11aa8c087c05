"""Terms of a campaign, redials and single contacts on the command line."""

from pathlib import Path

import pytest

from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from storage.database import connect
from tests.interfaces.cli.conftest import CommandLine

pytestmark = pytest.mark.usefixtures("simulator")


def create(autolynx: CommandLine, folder: Path, *more: str) -> str:
    file = folder / "people.csv"
    write_sample(file, 3)
    options = ("--csv", str(file), "--name", "Spring")
    line = ("--phone-number", DEFAULT_PHONE_NUMBER_ID)
    made = autolynx.done(
        "campaigns",
        "create",
        *options,
        "--assistant",
        DEFAULT_ASSISTANT_ID,
        *line,
        *more,
    )
    [id_] = made.lines
    return id_


def contacts_of(database: str, campaign_id: str) -> list[str]:
    query = """
        select contact_id::text from read.contact_log
        where campaign_id = %s order by seq
    """
    with connect(database, name="test") as conn:
        return [row[0] for row in conn.execute(query, (campaign_id,))]


def test_a_campaign_is_created_with_terms_that_show_prints(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    id_ = create(
        autolynx,
        tmp_path,
        *("--retry", "patient", "--starts-at", "2031-01-01T09:00:00-05:00"),
        *("--output-rule", "booked=true=GOAL_REACHED", "--callback-output", "later"),
    )
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert shown["retryPolicy"]["attempts"] == 4
    assert shown["startsAt"] == "2031-01-01T14:00:00+00:00"
    rule = {"output": "booked", "equals": True, "means": "GOAL_REACHED"}
    assert shown["outputRules"] == [rule]
    assert shown["callbackOutput"] == "later"


@pytest.mark.parametrize(
    "option",
    [
        ("--retry", "often"),
        ("--starts-at", "tomorrow"),
        ("--ends-at", "2031-01-01T09:00:00"),
        ("--output-rule", "booked"),
        ("--output-rule", "booked=true=MAYBE"),
    ],
)
def test_a_wrong_term_is_refused_with_what_to_write(
    autolynx: CommandLine, tmp_path: Path, option: tuple[str, str]
) -> None:
    file = tmp_path / "people.csv"
    write_sample(file, 3)
    options = ("--csv", str(file), "--name", "Spring", "--assistant", "any")
    line = ("--phone-number", "any")
    command = ("campaigns", "create", *options, *line, *option)
    refusal = autolynx.refusal(*command, code=2)
    assert " ".join(option) in refusal


def test_a_redial_is_counted_created_and_the_same_for_the_same_request(
    autolynx: CommandLine, tmp_path: Path, database: str
) -> None:
    id_ = create(autolynx, tmp_path)
    autolynx.done("campaigns", "cancel", id_)
    assert autolynx.done("campaigns", "redial", id_, "--count").out == "3\n"
    busy = ("--outcome", "BUSY", "--outcome", "NO_ANSWER")
    assert autolynx.done("campaigns", "redial", id_, *busy, "--count").out == "0\n"
    assert "No finished contact" in autolynx.refusal("campaigns", "redial", id_, *busy)
    made = autolynx.done("campaigns", "redial", id_, "--retry", "gentle", "--json").json
    assert made["contacts"] == 3
    shown = autolynx.done("campaigns", "show", made["id"], "--json").json
    assert shown["name"] == "Redial of Spring"
    assert (shown["contacts"], shown["redialOf"]) == (3, id_)
    assert shown["retryPolicy"]["attempts"] == 2
    again = autolynx.done("campaigns", "redial", id_, "--retry", "gentle", "--json")
    assert again.json["id"] == made["id"]


def test_contacts_are_removed_called_again_and_given_a_disposition(
    autolynx: CommandLine, tmp_path: Path, database: str
) -> None:
    id_ = create(autolynx, tmp_path)
    contact = contacts_of(database, id_)[0]
    removed = autolynx.done("campaigns", "remove-contact", contact)
    assert removed.out == "The contact is CANCELED (REMOVED).\n"
    again = autolynx.done("campaigns", "call-again", contact)
    assert again.out == "The contact is PENDING.\n"
    done = autolynx.done(
        "campaigns", "set-disposition", contact, "other", "--note", "Call the son."
    )
    assert done.out == "The disposition is OTHER.\n"
    cleared = autolynx.done("campaigns", "set-disposition", contact)
    assert cleared.out == "The disposition is cleared.\n"


def test_an_unknown_contact_is_refused(autolynx: CommandLine, tmp_path: Path) -> None:
    unknown = create(autolynx, tmp_path)
    for command in ("call-again", "remove-contact", "set-disposition"):
        assert unknown in autolynx.refusal("campaigns", command, unknown)
