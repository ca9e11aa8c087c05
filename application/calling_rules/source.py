"""The rule book in force, read again when its files change."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from application.calling_rules.loader import (
    HOLIDAYS,
    SHIPPED,
    load_rule_book,
    rule_files,
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
            if signature != self._signature or self._book is None:
                self._signature = signature
                self._load()

    def _load(self) -> None:
        """Read all files; no rule book remains in force if that fails in any way."""
        self._book, logged = None, self._problem
        try:
            self._book, self._problem = load_rule_book(self._folders), None
        except Exception as error:
            self._problem = str(error)
            known = isinstance(error, BrokenRules)  # It names file and row.
            if self._problem != logged:
                log.error(  # noqa: TRY400 - the message of a broken file says it all
                    "the calling rules cannot be read: %s", error, exc_info=not known
                )
        else:
            log.info("the calling rules of version %.12s apply", self._book.version)


def _signature(folders: Sequence[Path]) -> Signature:
    """Return names, times of change and sizes of all files.

    The time changes with the content and with the permission to read it.
    """
    found: list[tuple[str, int, int]] = []
    for folder in folders:
        for part in (folder, folder / HOLIDAYS):
            try:
                files = rule_files(part)
            except BrokenRules:
                found.append((str(part), -1, -1))
                continue
            found.append((str(part), len(files), 0))
            for file in files:
                try:
                    stat = file.stat()
                except OSError:
                    found.append((str(file), -1, -1))
                else:
                    found.append((str(file), stat.st_ctime_ns, stat.st_size))
    return tuple(found)
