"""A folder in memory for the tests' Postgres: making databases keeps a disk busy."""

import os
import shutil
import time
from pathlib import Path
from tempfile import mkdtemp

from storage.process.postgres_supervisor import Home
from tests.support import eventually

MEMORY, PREFIX, POSTGRES = Path("/dev/shm"), "autolynx-tests-", "pg"
ROOM = 4 << 30
OLD_SECONDS = 3600.0


def make_folder() -> Path:
    """Make it, on a disk where memory is short; remove what killed runs left."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    if roomy:
        _remove_left()
    folder = Path(mkdtemp(prefix=PREFIX, dir=MEMORY if roomy else None))
    folder.chmod(0o711)  # Postgres may run as another user than root.
    return folder


def _remove_left() -> None:
    for folder in MEMORY.glob(f"{PREFIX}*"):
        made = folder.stat()
        old = time.time() - made.st_mtime > OLD_SECONDS
        if old and made.st_uid == os.getuid() and not _is_used(folder):
            shutil.rmtree(folder, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Wait for the server's end, which comes with that of its last user."""
    eventually(lambda: not _is_used(folder), within=60, what="the server's end")
    shutil.rmtree(folder, ignore_errors=True)


def _is_used(folder: Path) -> bool:
    return Home(folder / POSTGRES).server_pid() is not None
