"""An upload with another mapping replaces the one before it in the database."""

from uuid import UUID, uuid4

from storage.database import Pool
from storage.vault.uploads import UploadStore
from tests.interfaces.files.uploading import CSV, NOW, Client, uploads
from tests.interfaces.serving import ApiClient

FILE = "name,office,mobile\nAda,202-555-0101,202-555-0111\nBo,x,\n"
ANOTHER_MEMBER = {**CSV, "authorization": "bob@example.com"}


def test_ten_changes_of_a_mapping_keep_one_upload(client: Client, pool: Pool) -> None:
    id_ = client.post("/uploads", FILE).json()["id"]
    kept = uploads(pool)
    for change in range(10):
        column = ("office", "mobile")[change % 2]
        url = f"/uploads?map={column}=PHONE&replaces={id_}"
        id_ = client.post(url, FILE).json()["id"]
        assert uploads(pool) == kept


def test_a_refused_file_replaces_nothing(client: Client, store: UploadStore) -> None:
    old = client.post("/uploads", FILE).json()["id"]
    for content in ("a,b\n1,2\n", "%PDF-1.7\n"):
        assert client.post(f"/uploads?replaces={old}", content).status_code == 422
    assert store.get(UUID(old), NOW) is not None


def test_another_members_upload_is_not_replaced(
    client: Client, store: UploadStore
) -> None:
    old = client.post("/uploads", FILE).json()["id"]
    new = client.post(f"/uploads?replaces={old}", FILE, ANOTHER_MEMBER).json()["id"]
    assert store.get(UUID(old), NOW) is not None
    assert store.get(UUID(new), NOW) is not None


def test_the_upload_of_a_campaign_is_not_replaced(api: ApiClient) -> None:
    api.campaign(FILE)
    query = "select id, created_by from upload"
    with api.pool.connection() as connection:
        ((id_, member),) = connection.execute(query).fetchall()
        UploadStore(api.pool).remove_unused(id_, member)
        assert len(connection.execute(query).fetchall()) == 1


def test_an_upload_that_is_gone_is_replaced_by_nothing(client: Client) -> None:
    assert client.post(f"/uploads?replaces={uuid4()}", FILE).status_code == 201
