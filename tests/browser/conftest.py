"""One AutoLynx and one Chromium for the tests of each module.

So the campaigns of one module neither delay nor change those of another. No longer:
while playwright runs, nothing else may run an event loop in its thread.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from storage.database import Conn
from tests.browser.installation import Installation, chromium, running_desk
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
def installation(
    server: Conn, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    if chromium() is None:
        pytest.skip("no Chromium is installed: on Debian, apt install chromium")
    folder = tmp_path_factory.mktemp("installation")
    with (
        fresh_database(server, postgres_url) as url,
        running_desk(folder, url) as installation,
    ):
        yield installation


@pytest.fixture(scope="module")
def admin(installation: Installation) -> Iterator[BrowserContext]:
    with installation.opened("admin") as context:
        yield context
