"""One AutoLynx and one Chromium for all tests of a package.

Their start takes longer than most tests. The tests of `browser` and `browser/days` take
longer than any others, so a run with several workers starts two of them. Each module
has browser contexts of its own, and the campaigns that it leaves running are canceled.
No longer than the package: while playwright runs, nothing else may run an event loop in
its thread.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import LiteralString
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext

from domain.errors import Refused
from domain.states import MAY_DIAL
from storage.database import Conn
from tests.browser.chromium import LONGEST_TEST, chromium, process_id, time_limit
from tests.browser.installation import Installation, running_desk
from tests.conftest import fresh_database

MAY_STILL_DIAL: LiteralString = "select id from campaign_board where state = any(%s)"


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def chromium_pid(installation: Installation) -> int:
    return process_id(installation.browser)


@pytest.fixture(scope="module")
def admin(installation: Installation, chromium_pid: int) -> Iterator[BrowserContext]:
    context = installation.opened("admin")
    yield context
    with time_limit(chromium_pid, 60.0):
        context.close()


@pytest.fixture(autouse=True)
def limited(chromium_pid: int) -> Iterator[None]:
    with time_limit(chromium_pid, LONGEST_TEST):
        yield


@pytest.fixture(autouse=True, scope="module")
def finished(installation: Installation) -> Iterator[None]:
    """Cancel the campaigns that the tests of a module leave running."""
    yield
    for campaign_id in installation.bench.read(_dialling):
        with suppress(Refused):  # It has just been completed.
            installation.bench.campaigns.cancel(
                campaign_id, hang_up=True, by="cli:test"
            )


def _dialling(connection: Conn) -> list[UUID]:
    rows = connection.execute(MAY_STILL_DIAL, ([*MAY_DIAL],)).fetchall()
    return [campaign_id for (campaign_id,) in rows]
