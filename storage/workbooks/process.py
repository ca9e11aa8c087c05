"""Opens workbooks in a separate process with limits on memory and time."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import BinaryIO

from application.contacts.files.sheets import Sheets
from application.contacts.files.unreadable import UnreadableFile
from storage.workbooks.child import REFUSED

_PIECE = 256 << 10
_SAVE_AS_CSV = "Save the sheet as CSV and upload that."


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the reading process.

    `memory` and `unpacked` (the content of the zip archive) are in bytes, `cpu_seconds`
    is processor time, `seconds` is time by the clock.
    """

    memory: int = 2 << 30
    unpacked: int = 2 << 30
    cpu_seconds: int = 300
    seconds: float = 900.0


@dataclass
class SheetReader:
    """The sheet's CSV in pieces; see `contact_file.OpenSheet` in the application."""

    process: subprocess.Popen[bytes]
    wanted: str | None
    warnings: list[str] = field(default_factory=list)
    sheets: Sheets | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the CSV.

        Raises:
            UnreadableFile: the workbook is damaged, too large, or takes too long.
        """
        assert self.process.stdout is not None
        head = self.process.stdout.readline()
        if head:
            about = json.loads(head)
            self.sheets = Sheets(about["sheet"], tuple(about["names"]))
            self._warn(self.sheets)
        while piece := self.process.stdout.read(_PIECE):
            yield piece
        self._check_end()

    def _warn(self, sheets: Sheets) -> None:
        others = [name for name in sheets.names if name != sheets.read]
        if others and self.wanted is None:
            shown = ", ".join(f'"{name}"' for name in others)
            self.warnings.append(
                f'The sheet "{sheets.read}" was read. The workbook also has {shown}:'
                " if the contacts are in one of these, choose it as the sheet."
            )

    def _check_end(self) -> None:
        assert self.process.stderr is not None
        output = self.process.stderr.read()
        code = self.process.wait()
        if code == REFUSED:
            about = json.loads(output)
            if "kind" in about:
                raise UnreadableFile(about["kind"])
            message = about["message"]
            raise UnreadableFile(f"The workbook {message}. {_SAVE_AS_CSV}")
        if code:
            message = "takes too much memory or time to read, or is damaged"
            raise UnreadableFile(f"The workbook {message}. {_SAVE_AS_CSV}")


@contextmanager
def open_workbook(
    file: BinaryIO, sheet: str | None, limits: Limits | None = None
) -> Iterator[SheetReader]:
    """Read a sheet of a workbook in a process of its own, which ends with the block.

    `file` is copied to a temporary folder, which only this user can read.
    """
    limits = limits or Limits()
    with TemporaryDirectory(prefix="autolynx-workbook-") as folder:
        path = Path(folder) / "workbook"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        arguments = [path, sheet or "", limits.memory, limits.cpu_seconds]
        with subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "storage.workbooks.child"),
                *map(str, [*arguments, limits.unpacked]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": _import_path()},
        ) as process:
            timer = Timer(limits.seconds, partial(process.kill))
            timer.start()
            try:
                yield SheetReader(process, sheet)
            finally:
                timer.cancel()
                process.kill()


def _import_path() -> str:
    """Return where this process finds its packages, for the child to do so too."""
    return os.pathsep.join(path for path in sys.path if path)
