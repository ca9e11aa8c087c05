"""The rows that an import left out can be downloaded again."""

from uuid import UUID

import pytest

from domain.values import Role
from tests.interfaces.serving import Desk

FILE = """name,business_name,phone
Ada,,+12025550101
,,+12025550102
Again,,+1 202 555 0101
"""


def test_they_come_as_they_were_with_their_reason_in_front(office: Desk) -> None:
    id_ = office.campaign(FILE)
    query = (
        "query($id: ID!) { campaign(id: $id) { imports { report { rejectsUrl } } } }"
    )
    (imported,) = office.told(query, id=id_)["campaign"]["imports"]
    answer = office.get(imported["report"]["rejectsUrl"], Role.OPERATOR)
    lines = answer.text.splitlines()
    assert lines[0] == "row,reason,message,name,business_name,phone"
    assert lines[1].startswith("3,MISSING_NAME,")
    assert lines[1].endswith(",,,+12025550102")
    assert lines[2].startswith("4,DUPLICATE_IN_FILE,")
    assert len(lines) == 3


@pytest.mark.parametrize("id_", ["nonsense", str(UUID(int=1))])
def test_an_unknown_import_is_not_found(office: Desk, id_: str) -> None:
    answer = office.get(f"/imports/{id_}/rejects.csv")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_auditors_do_not_get_them(office: Desk) -> None:
    answer = office.get(f"/imports/{UUID(int=1)}/rejects.csv", Role.AUDITOR)
    assert answer.status_code == 403
