"""The upload routes in this process, over a database with a clock of their own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI

from interfaces.files.uploads import upload_routes
from storage.database import Pool, open_pool
from storage.vault.uploads import UploadStore
from tests.interfaces.files.uploading import LIMIT, Client, Clock, operator
from tests.reused_databases import ReusedDatabase


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(reused_database: ReusedDatabase) -> Iterator[Pool]:
    with open_pool(reused_database.url, name="test") as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> UploadStore:
    return UploadStore(pool)


@pytest.fixture
def app(store: UploadStore, clock: Clock) -> FastAPI:
    app = FastAPI(max_body_size=1000)
    app.include_router(
        upload_routes(
            store=store,
            authorize=operator,
            now=clock,
            new_id=uuid4,
            default_region=lambda: "US",
            largest_file=LIMIT,
        )
    )
    return app


@pytest.fixture
def client(app: FastAPI) -> "Client":
    return Client(app)
