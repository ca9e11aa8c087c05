"""A new campaign has the contact list of an upload or of a redial."""

from uuid import UUID, uuid4

import pytest

from application.contacts.redials import RedialSelection, list_id_of, redial_list_id
from domain.errors import Invalid

SELECTION = RedialSelection(UUID(int=1))


def test_the_contact_list_of_a_campaign_is_its_upload_or_that_of_its_redial() -> None:
    upload, request, new = uuid4(), uuid4(), uuid4()
    assert list_id_of(upload, None, request, lambda: new) == upload
    assert list_id_of(None, SELECTION, None, lambda: new) == new
    assert list_id_of(None, SELECTION, request, uuid4) == redial_list_id(request, uuid4)


@pytest.mark.parametrize(
    ("upload", "selection"), [(None, None), (UUID(int=2), SELECTION)]
)
def test_a_campaign_has_either_an_upload_or_a_redial(
    upload: UUID | None, selection: RedialSelection | None
) -> None:
    with pytest.raises(Invalid) as refused:
        list_id_of(upload, selection, None, uuid4)
    assert set(refused.value.fields) == {"upload_id"}
