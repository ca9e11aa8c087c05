"""Behind a transaction pooler every role exits with one line that explains it."""

import sys
from collections.abc import Iterator

import pytest

from interfaces.cli.doctor import of_database
from interfaces.cli.findings import Grade
from storage.fitness import TRANSACTION_POOLER
from tests.child_process import run
from tests.interfaces.cli.conftest import CommandLine
from tests.interfaces.serving import configured
from tests.ports import free_port
from tests.storage.pooler import pooler_before


@pytest.fixture
def pooled(
    autolynx: CommandLine,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    with pooler_before(database, per_transaction=True) as url:
        monkeypatch.setenv("AUTOLYNX_DATABASE_URL", url)
        monkeypatch.setenv("AUTOLYNX_PORT", str(free_port()))
        monkeypatch.setenv("AUTOLYNX_VAPI_API_KEY", "a-key")
        yield url


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("command", ["up", "api", "projector", "scheduler", "migrate"])
def test_a_command_refuses_a_transaction_pooler_in_one_line(
    autolynx: CommandLine, command: str
) -> None:
    assert TRANSACTION_POOLER in autolynx.refusal(command)


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize(
    "module", ["interfaces.asgi", "projections", "scheduler"], ids=str
)
def test_a_role_refuses_a_transaction_pooler_in_one_line(module: str) -> None:
    ended = run([sys.executable, "-m", module])
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [TRANSACTION_POOLER]


def test_doctor_names_a_transaction_pooler(pooled: str) -> None:
    (pooler,) = [
        one for one in of_database(configured(pooled)) if one.about == "pooler"
    ]
    assert (pooler.grade, pooler.said) == (Grade.WRONG, f"{TRANSACTION_POOLER}.")
