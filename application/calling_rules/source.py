"""The rule book in force, read again when its files change."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from application.calling_rules.loader import (
    HOLIDAYS,
    SHIPPED,
    load_rule_book,
)
from application.errors import BrokenRules
from domain.gate.rules import RuleBook

CHECK_SECONDS = 5.0
"""How often the files are checked for changes at most."""

type Signature = tuple[tuple[str, int, int], ...]

log = logging.getLogger(__name__)


class RuleBookSource:
    """Provides the rule book; None while it cannot be read, with the reason.

    `monotonic` returns seconds. `folders` are read in order: the shipped rules, and
    those of the installation.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (SHIPPED,),
        *,
        monotonic: Callable[[], float],
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._folders, self._monotonic = tuple(folders), monotonic
        self._check_seconds = check_seconds
        self._lock = Lock()
        self._checked_at = float("-inf")
        self._signature: Signature | None = None
        self._book: RuleBook | None = None
        self._problem: str | None = None

    def current(self) -> RuleBook | None:
        """Return the rule book, None if it cannot be read."""
        self._check()
        return self._book

    @property
    def problem(self) -> str | None:
        """Why the rule book cannot be read: file, row and reason; None if it can."""
        self._check()
        return self._problem

    def _check(self) -> None:
        with self._lock:
            now = self._monotonic()
            if now - self._checked_at < self._check_seconds:
                return
            self._checked_at = now
            signature = _signature(self._folders)
            if signature != self._signature:
                self._signature = signature
                self._load()

    def _load(self) -> None:
        try:
            self._book, self._problem = load_rule_book(self._folders), None
        except BrokenRules as error:
            self._book, self._problem = None, str(error)
            log.error("the calling rules cannot be read: %s", error)  # noqa: TRY400 - the message names file and row


def _signature(folders: Sequence[Path]) -> Signature:
    """Return names, times of change and sizes of all files."""
    found: list[tuple[str, int, int]] = []
    for folder in folders:
        for file in sorted(
            [*folder.glob("*.toml"), *folder.glob(f"{HOLIDAYS}/*.toml")]
        ):
            try:
                stat = file.stat()
            except OSError:
                found.append((str(file), -1, -1))
            else:
                found.append((str(file), stat.st_mtime_ns, stat.st_size))
        found.append((str(folder), int(folder.is_dir()), 0))
    return tuple(found)
