"""One AutoLynx and one Chromium for the tests of a file.

No longer: while playwright runs, nothing else may run an event loop in its thread.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import BrowserContext

from tests.browser.desk import Desk, chromium, running_desk


@pytest.fixture(scope="module")
def desk(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    if chromium() is None:
        pytest.skip("no Chromium is installed: on Debian, apt install chromium")
    name = f"desk_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with running_desk(tmp_path_factory.mktemp("desk"), url) as desk:
        yield desk


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Iterator[BrowserContext]:
    with desk.opened("admin") as context:
        yield context
