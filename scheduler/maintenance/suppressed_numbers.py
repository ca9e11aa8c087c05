"""Ends waiting contacts of suppressed numbers, and calls that may not ring any more.

The log refuses requests to suppressed numbers in any case; this work makes the effect
visible at once and frees slots. It may stop at any point and be continued.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from application.contacts.withholding import SuppressedContact
from application.suppression_lists.list_blocks import ListBlocks
from projections.contacts.listed_calls import listed_calls
from projections.contacts.suppressed_contacts import (
    Scan,
    last_import,
    unrung_calls,
    waiting_contacts,
)
from storage.database import Pool

MOST = 1_000
"""Contacts that one pass withholds."""

ENTRIES = 5_000
"""Entries of the register that one pass looks at."""

log = logging.getLogger(__name__)


class SuppressedNumbers:
    """Remembers up to which entry the register was searched.

    It is searched from its beginning by a new leader, and after each import, whose
    contacts may have numbers that were suppressed long ago. `blocks` are the numbers
    of the imported lists.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        withhold: Callable[[Sequence[SuppressedContact]], int],
        hang_up: Callable[[UUID], None],
        now: Callable[[], datetime],
        blocks: ListBlocks,
    ) -> None:
        self._pool, self._withhold, self._hang_up = pool, withhold, hang_up
        self._now, self._blocks = now, blocks
        self._scanned = self._import = 0

    def run(self) -> bool:
        """Do one pass; return whether there is more to do."""
        now = self._now()
        ended = set(self._ask(unrung_calls, now=now))
        for call_id in ended | self._ask(listed_calls, blocks=self._blocks, now=now):
            self._hang_up(call_id)
        latest = self._ask(last_import)
        if latest > self._import:
            self._scanned, self._import = 0, latest
        found: Scan = self._ask(
            waiting_contacts, after=self._scanned, entries=ENTRIES, most=MOST
        )
        withheld = self._withhold(found.contacts)
        if withheld:
            log.info("%s contacts of suppressed numbers were withheld", withheld)
        if withheld == len(found.contacts) or found.is_last:
            self._scanned = found.scanned
        return not found.is_last

    def _ask(self, query: Callable[..., Any], **how: Any) -> Any:
        with self._pool.connection() as conn:
            return query(conn, **how)
