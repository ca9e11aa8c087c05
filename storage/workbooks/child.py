"""Reads one sheet of a workbook and writes it to standard output as CSV.

Runs as a process of its own with limits on memory and processor time, because a small
workbook can contain gigabytes. The first line of the output is JSON about the sheet;
CSV in UTF-8 follows. A refusal is one line of JSON on standard error and exit code 3.
"""

import csv
import json
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

REFUSED = 3
_LARGEST_EXACT = 10**15
_ZIP = b"PK\x03\x04"
_SECONDS_PER_MINUTE = 60


_OTHER_ARCHIVES = (
    ("word/", "This is a Word document. Save the list as CSV or .xlsx."),
    ("ppt/", "This is a presentation. Save the list as CSV or .xlsx."),
    ("Index/", "This is a Numbers document. Export it as CSV or .xlsx."),
    ("xl/", None),
    ("content.xml", None),
)
"""What an archive is in which a name begins like that; None for a workbook."""

_ZIP_ARCHIVE = "This is a zip archive: unpack it and upload the file inside."


class _RefusedError(Exception):
    """The workbook cannot be read; the message continues "The workbook"."""


class _OtherKindError(Exception):
    """The file is no workbook; the message says what it is and what to do."""


def main(path: str, sheet: str, memory: str, seconds: str, unpacked: str) -> int:
    """Write the sheet named `sheet`, or the first with rows if the name is empty.

    The file gets the extension of its kind, by which the library chooses its reader.
    `memory` and `unpacked` are limits in bytes, `seconds` of processor time.
    """
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    try:
        extension = _extension(Path(path), int(unpacked))
        _write(_open(Path(path).rename(path + extension)), sheet)
    except _OtherKindError as error:
        sys.stderr.write(json.dumps({"kind": str(error)}))
        return REFUSED
    except (_RefusedError, MemoryError) as error:
        message = str(error) or "needs too much memory"
        sys.stderr.write(json.dumps({"message": message}))
        return REFUSED
    return 0


def _extension(path: Path, most: int) -> str:
    """Recognise the kind by the file's content.

    Raises:
        _OtherKindError: it is an archive, but no workbook.
        _RefusedError: it has more than `most` bytes unpacked, or is damaged.
    """
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return ".xls"
        try:
            with ZipFile(file) as archive:
                names = set(archive.namelist())
                size = sum(each.file_size for each in archive.infolist())
        except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise _RefusedError("is damaged: its zip archive is incomplete") from error
    _check_kind(names)
    if size > most:
        message = (
            f"is too large: it contains {size:,} bytes, of which {most:,} are read"
        )
        raise _RefusedError(message)
    if "xl/workbook.bin" in names:
        return ".xlsb"
    return ".ods" if "content.xml" in names else ".xlsx"


def _check_kind(names: set[str]) -> None:
    for start, message in _OTHER_ARCHIVES:
        if any(name.startswith(start) for name in names):
            if message:
                raise _OtherKindError(message)
            return
    raise _OtherKindError(_ZIP_ARCHIVE)


def _open(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise _RefusedError("is protected by a password") from error
    except (CalamineError, OSError, ValueError) as error:
        if "limit exceeded" in str(error):
            raise _RefusedError("is too large: it has too many cells") from error
        raise _RefusedError("is damaged, or no workbook of a known kind") from error


def _write(workbook: CalamineWorkbook, wanted: str) -> None:
    names = [
        each.name
        for each in workbook.sheets_metadata
        if each.typ == SheetTypeEnum.WorkSheet
    ]
    if wanted and wanted not in names:
        shown = ", ".join(f'"{name}"' for name in names)
        raise _RefusedError(f'has no sheet "{wanted}"; its sheets are {shown}')
    name, sheet = _chosen(workbook, [wanted] if wanted else _visible_first(workbook))
    out = TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    out.write(json.dumps({"sheet": name, "names": names}) + "\n")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerows(map(_texts, sheet.iter_rows()))
    out.flush()


def _visible_first(workbook: CalamineWorkbook) -> list[str]:
    """Return the names of the sheets with cells; hidden ones come last."""
    sheets = [
        each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet
    ]
    sheets.sort(key=lambda each: each.visible != SheetVisibleEnum.Visible)
    return [each.name for each in sheets]


def _chosen(
    workbook: CalamineWorkbook, names: Iterable[str]
) -> tuple[str, CalamineSheet]:
    """Return the first of these sheets that has a row."""
    for name in names:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except (CalamineError, ValueError) as error:
            raise _RefusedError(f'has a damaged sheet "{name}"') from error
        if sheet.height:
            return name, sheet
    raise _RefusedError("has no sheet with rows")


def _texts(row: Iterable[Any]) -> Iterator[str]:
    return (value if type(value) is str else _text(value) for value in row)


def _text(value: Any) -> str:
    """Write a value as a spreadsheet shows it without a number format."""
    text = str(value)
    match value:
        case bool():
            text = text.upper()
        case float() if value.is_integer() and abs(value) < _LARGEST_EXACT:
            text = str(int(value))
        case datetime() if value.time() == time():
            text = value.date().isoformat()
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds")
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), _SECONDS_PER_MINUTE)
            hours, minutes = divmod(minutes, _SECONDS_PER_MINUTE)
            text = f"{hours:02}:{minutes:02}:{seconds:02}"
    return text


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
