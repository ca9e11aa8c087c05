"""A folder in memory for the tests' Postgres: making databases keeps a disk busy."""

import os
import shutil
import time
from pathlib import Path
from tempfile import mkdtemp

from storage.keeper import Home
from tests.support import eventually

MEMORY, PREFIX = Path("/dev/shm"), "autolynx-tests-"
ROOM = 4 << 30
OLD_SECONDS = 3600.0


def make_folder() -> Path:
    """Make it, on a disk where memory is short; remove what a killed run left."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    for left in MEMORY.glob(f"{PREFIX}*") if roomy else ():
        if _is_over(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=PREFIX, dir=MEMORY if roomy else None))
    folder.chmod(0o711)  # Postgres may run as another user than root.
    return folder


def _is_over(folder: Path) -> bool:
    age = time.time() - folder.stat().st_mtime
    mine = folder.stat().st_uid == os.getuid()
    return mine and age > OLD_SECONDS and home_in(folder).server_pid() is None


def remove_folder(folder: Path) -> None:
    eventually(
        lambda: home_in(folder).server_pid() is None, within=60, said="its server's end"
    )
    shutil.rmtree(folder, ignore_errors=True)


def home_in(folder: Path) -> Home:
    return Home(folder / "pg")
