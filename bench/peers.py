"""Appends of the event store emmett-postgresql (Node) on the same server.

Nothing is measured where Node, npm or the package are missing. The eventsourcing
library, the other peer, is the baseline of `append` and `rebuild`.
"""

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import which

from bench.append import THREADS, append_rate, inserting
from bench.support.figures import Figure, medians
from bench.support.installation import Server
from storage.database import open_pool
from storage.log.recorder import EventRecorder

EVENTS = 4_000
VERSION = "0.42.0"
PACKAGES = [
    f"@event-driven-io/{name}@{VERSION}" for name in ("emmett", "emmett-postgresql")
]
INSTALL_SECONDS, RUN_SECONDS = 120, 600
SCRIPT = """
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const [url, writers, events] = process.argv.slice(2);
const store = getPostgreSQLEventStore(url);
const fact = [{ type: 'bench.fact', data: { text: 'x'.repeat(300) } }];
async function append(count) {
  let left = count;
  const write = async () => {
    while (left-- > 0) await store.appendToStream(randomUUID(), fact);
  };
  await Promise.all(Array.from({ length: Number(writers) }, write));
}
await append(20 * Number(writers));
const start = performance.now();
await append(Number(events));
console.log(Number(events) / ((performance.now() - start) / 1000));
await store.close();
"""


def measure(server: Server) -> Iterator[Figure]:
    """Measure appends per second of both; without Node, say that it is missing."""
    details = f"{EVENTS:,} events, one per append, {THREADS} at a time"
    details += f"; emmett-postgresql {VERSION}"
    folder = server.folder / "emmett"
    if (missing := _install(folder)) is not None:
        yield Figure(
            name="append, beside emmett",
            value=float("nan"),
            unit="events/s",
            details=f"{details}: not available here, {missing}",
        )
        return
    with (
        server.database() as url,
        open_pool(url, name="bench", min_size=THREADS) as pool,
        server.empty_database() as other,
    ):
        value, baseline = medians(
            partial(append_rate, inserting(EventRecorder(pool)), EVENTS),
            partial(_emmett_rate, folder, other),
        )
    yield Figure(
        name="append, beside emmett",
        value=value,
        unit="events/s",
        baseline=baseline,
        details=details,
    )


def _install(folder: Path) -> str | None:
    """Install the package in a new folder; return why that is impossible, or None."""
    for program in ("node", "npm"):
        if which(program) is None:
            return f"no {program}"
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"private": True}))
    (folder / "append.mjs").write_text(SCRIPT)
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(
            [*command, *PACKAGES],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return "the package cannot be installed"
    return None


def _emmett_rate(folder: Path, url: str) -> float:
    done = subprocess.run(
        ["node", "append.mjs", url, str(THREADS), str(EVENTS)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    return float(done.stdout)
