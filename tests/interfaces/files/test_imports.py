"""The rows that an import skipped can be downloaded."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.values import Role
from storage.vault.erasure import ErasureStore
from storage.vault.uploads import UploadStore
from tests.interfaces.serving import ApiClient

FILE = """name,business_name,phone
Ada,,+12025550101
,,+12025550102
Again,,+1 202 555 0101
"""


def test_skipped_rows_are_returned_unchanged_after_their_reason(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign(FILE)
    query = (
        "query($id: ID!) { campaign(id: $id) { imports { report { rejectsUrl } } } }"
    )
    (imported,) = shared_api.execute(query, id=id_)["campaign"]["imports"]
    answer = shared_api.get(imported["report"]["rejectsUrl"], Role.OPERATOR)
    lines = answer.text.splitlines()
    assert lines[0] == "row,reason,message,name,business_name,phone"
    assert lines[1].startswith("3,MISSING_NAME,")
    assert lines[1].endswith(",,,+12025550102")
    assert lines[2].startswith("4,DUPLICATE_IN_FILE,")
    assert len(lines) == 3


OWN = """Phone,Plan, name ,business_name,=cmd
(202) 555-0101,gold,Ada,"Abbott, Inc.",1
202.555.0102,team, Bela ,,2
"""
SECOND = OWN + "nothing,team,Cleo,,3\n"
REASONS = {"DUPLICATE_IN_CAMPAIGN", "INVALID_PHONE"}


def imported_again(shared_api: ApiClient) -> str:
    """Import a file into a campaign that has two of its people; return the list."""
    return import_into(shared_api, shared_api.campaign(OWN), SECOND)


def import_into(shared_api: ApiClient, campaign_id: str, file: str) -> str:
    list_id = shared_api.upload(file)
    query = """mutation($id: ID!, $upload: ID!) {
      importContacts(campaignId: $id, uploadId: $upload) { __typename }
    }"""
    answer = shared_api.execute(query, Role.OPERATOR, id=campaign_id, upload=list_id)
    assert answer["importContacts"]["__typename"] != "UserError", answer
    return list_id


def rejected(shared_api: ApiClient, list_id: str) -> list[list[str]]:
    answer = shared_api.get(f"/imports/{list_id}/rejects.csv", Role.OPERATOR)
    return list(csv.reader(io.StringIO(answer.text, newline="")))


def remove_uploads(shared_api: ApiClient) -> None:
    assert UploadStore(shared_api.pool).remove_expired(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("expired", [False, True])
def test_skipped_rows_keep_the_columns_of_their_file(
    shared_api: ApiClient, expired: bool
) -> None:
    list_id = imported_again(shared_api)
    if expired:
        remove_uploads(shared_api)
    header, *rows = rejected(shared_api, list_id)
    file = list(csv.reader(io.StringIO(SECOND)))
    columns = [*(name.strip() for name in file[0][:-1]), "'=cmd"]
    assert header == ["row", "reason", "message", *columns]
    assert {row[1] for row in rows} == REASONS
    assert sorted(row[3:] for row in rows) == sorted(file[1:])


def test_an_uploaded_rejects_file_is_read_without_our_own_columns(
    shared_api: ApiClient,
) -> None:
    list_id = imported_again(shared_api)
    again = shared_api.get(f"/imports/{list_id}/rejects.csv", Role.OPERATOR).text
    upload_id = shared_api.upload(again.replace("nothing", "202-555-0103"))
    upload = UploadStore(shared_api.pool).get(UUID(upload_id), datetime.now(UTC))
    assert upload is not None
    assert upload.columns == ("Phone", "Plan", "name", "business_name", "=cmd")
    assert (upload.accepted, upload.skipped_count) == (3, 0)


def test_the_names_of_the_columns_are_erased_with_a_number_in_them(
    shared_api: ApiClient,
) -> None:
    file = SECOND.replace("Plan", "Plan of 12025550199")
    list_id = import_into(shared_api, shared_api.campaign(OWN), file)
    assert "Plan of 12025550199" in rejected(shared_api, list_id)[0]
    ErasureStore(shared_api.pool).wipe("+12025550199", [], [])
    header, *rows = rejected(shared_api, list_id)
    assert header[3:] == ["name", "business_name", "phone"]
    assert len(rows) == 3


@pytest.mark.parametrize("id_", ["nonsense", str(UUID(int=1))])
def test_an_unknown_import_is_not_found(shared_api: ApiClient, id_: str) -> None:
    answer = shared_api.get(f"/imports/{id_}/rejects.csv")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_auditors_may_not_download_skipped_rows(shared_api: ApiClient) -> None:
    answer = shared_api.get(f"/imports/{UUID(int=1)}/rejects.csv", Role.AUDITOR)
    assert answer.status_code == 403
