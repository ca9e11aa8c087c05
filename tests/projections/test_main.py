"""The projector's process."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from uuid import uuid4

from tests.projections.lives import Life
from tests.projections.store import Store
from tests.support import eventually

ROOT = Path(__file__).parents[2]


def started(url: str | None) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if "AUTOLYNX" not in k}
    if url is not None:
        environment["AUTOLYNX_DATABASE_URL"] = url
    return subprocess.Popen(
        [sys.executable, "-m", "projections"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def test_the_process_projects_events_until_a_signal_ends_it(store: Store) -> None:
    life = Life(Random(0))
    life.open_campaign(3)
    position = store.append(life.events)
    with started(store.url) as process:
        eventually(lambda: store.position() == position, 20)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_an_event_that_cannot_be_applied_ends_the_process_with_one_line(
    store: Store,
) -> None:
    store.conn.execute(
        "insert into autolynx_events"
        " (originator_id, originator_version, topic, state)"
        " values (%s, 1, 'call.nobody_knows', '{}')",
        (uuid4(),),
    )
    with started(store.url) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Event 1 (call.nobody_knows) cannot be projected" in errors.splitlines()[-1]


def test_without_a_database_url_the_process_names_the_variable() -> None:
    with started(None) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == "AUTOLYNX_DATABASE_URL is not set.\n"


def test_the_process_can_decode_every_event() -> None:
    folder = Path(__file__).parents[1] / "golden"
    names = [file.name.split(".") for file in folder.glob("*.json")]
    topics = [".".join(parts[:2]) for parts in names]
    code = (
        "import sys, projections.__main__\n"
        "from eventsourcing.utils import resolve_topic\n"
        "for topic in sys.argv[1:]: resolve_topic(topic)\n"
    )
    subprocess.run([sys.executable, "-c", code, *topics], check=True)
