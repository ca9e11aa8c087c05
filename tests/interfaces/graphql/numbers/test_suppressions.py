"""The register in the API: who may change it, and what a wrong input is answered."""

from datetime import date
from typing import Any

import pytest

from application.suppression_lists.service import ListTerms
from domain.values import Role
from tests.interfaces.serving import ApiClient

SUPPRESSION = "{ id phone source reason addedBy callId }"
ERROR = "... on UserError { code message fields { path message } }"
SUPPRESS = f"""mutation($phone: String!, $reason: String) {{
  suppressNumber(phone: $phone, reason: $reason) {{
    ... on Suppression {SUPPRESSION} {ERROR} }} }}"""
LIFT = f"""mutation($id: ID!, $reason: String!) {{
  liftSuppression(id: $id, reason: $reason) {{
    ... on Suppression {SUPPRESSION} {ERROR} }} }}"""
FIND = f"""query($phone: String!) {{
  suppression(phone: $phone) {{ suppression {SUPPRESSION} list {{ name }} }} }}"""
TYPES = """{ events(newestFirst: true, filter: {types: ["number.suppressed",
  "number.lifted"]}) { nodes: edges { node { type actor payload } } } }"""


def suppress(api: ApiClient, phone: str, role: Role = Role.OPERATOR) -> dict[str, Any]:
    found: dict[str, Any] = api.execute(SUPPRESS, role, phone=phone)["suppressNumber"]
    return found


def test_an_operator_suppresses_a_number_and_an_auditor_finds_it(
    shared_api: ApiClient,
) -> None:
    added = suppress(shared_api, "(202) 555-0101")
    assert (added["phone"], added["source"]) == ("+12025550101", "API")
    assert added["addedBy"] == "operator@example.com"
    found = shared_api.execute(FIND, Role.AUDITOR, phone="+1 202 555 0101")
    assert found["suppression"] == {"suppression": added, "list": None}
    assert suppress(shared_api, "+12025550101", Role.ADMIN) == added


def test_only_operators_and_admins_suppress(shared_api: ApiClient) -> None:
    answer = shared_api.ask(SUPPRESS, Role.AUDITOR, phone="+12025550102")
    assert answer.code == "FORBIDDEN"
    assert shared_api.execute(FIND, phone="+12025550102")["suppression"] is None


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_only_admins_lift(shared_api: ApiClient, role: Role) -> None:
    added = suppress(shared_api, "+12025550103")
    answer = shared_api.ask(LIFT, role, id=added["id"], reason="a mistake")
    assert answer.code == "FORBIDDEN"
    assert shared_api.execute(FIND, phone="+12025550103")["suppression"] is not None


def test_a_lifted_number_is_no_longer_found(shared_api: ApiClient) -> None:
    added = suppress(shared_api, "+12025550104")
    lifted = shared_api.execute(LIFT, id=added["id"], reason="a mistake")[
        "liftSuppression"
    ]
    assert lifted == added
    assert shared_api.execute(FIND, phone="+12025550104")["suppression"] is None
    again = shared_api.execute(LIFT, id=added["id"], reason="again")["liftSuppression"]
    assert again["code"] == "WRONG_STATE"


@pytest.mark.parametrize("phone", ["", "do not call", "+1 202", "5"])
def test_an_invalid_number_is_named_in_the_error(
    shared_api: ApiClient, phone: str
) -> None:
    refused = suppress(shared_api, phone)
    assert refused["code"] == "INVALID"
    assert [field["path"] for field in refused["fields"]] == [["phone"]]


def test_a_lift_needs_a_reason(shared_api: ApiClient) -> None:
    added = suppress(shared_api, "+12025550105")
    refused = shared_api.execute(LIFT, id=added["id"], reason=" ")["liftSuppression"]
    assert (refused["code"], refused["fields"][0]["path"]) == ("INVALID", ["reason"])


@pytest.mark.parametrize("id_", ["x", "6f1c5a52-0c7e-4d0b-9d4e-5a1f3d8c2b70"])
def test_an_unknown_entry_cannot_be_lifted(shared_api: ApiClient, id_: str) -> None:
    refused = shared_api.execute(LIFT, id=id_, reason="a mistake")["liftSuppression"]
    assert refused["code"] == "NOT_FOUND"


def test_the_history_shows_each_change_without_the_number(
    shared_api: ApiClient,
) -> None:
    added = suppress(shared_api, "+12025550106")
    shared_api.execute(LIFT, id=added["id"], reason="a mistake")
    shown = shared_api.execute(TYPES, Role.AUDITOR)["events"]["nodes"]
    lifted, suppressed = [edge["node"] for edge in shown[:2]]
    assert (lifted["type"], suppressed["type"]) == (
        "number.lifted",
        "number.suppressed",
    )
    assert suppressed["actor"] == "operator@example.com"
    assert "5550106" not in str(shown)


def test_a_number_on_an_imported_list_is_found(shared_api: ApiClient) -> None:
    version, _ = shared_api.components.suppression_lists.receive(
        ListTerms(name="Registry", as_of=date(2026, 11, 20)),
        [b"2025550177\n"],
        by="admin@example.com",
    )
    shared_api.caught_up()
    found = shared_api.execute(FIND, Role.AUDITOR, phone="(202) 555-0177")[
        "suppression"
    ]
    assert found == {"suppression": None, "list": {"name": "Registry"}}
    assert shared_api.execute(FIND, phone="(202) 555-0178")["suppression"] is None
    shared_api.components.suppression_lists.remove(
        version.list_id, by="admin@example.com"
    )
    shared_api.caught_up()
    assert shared_api.execute(FIND, phone="(202) 555-0177")["suppression"] is None
