"""Imported suppression lists: receive a file, activate it as one step, remove it."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np

from application.app import AutoLynx, decide
from application.errors import UnreadableList
from application.event_context import EventContext
from application.suppression_lists.blocks import Block, BlockBuilder
from application.suppression_lists.list_blocks import ListBlocks
from application.suppression_lists.reader import ListReader
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import (
    SUPPRESSION_LISTS_ID,
    ListVersion,
    SuppressionLists,
    check_terms,
    list_id_of,
)


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What an admin states of a list; see `ListVersion`."""

    name: str
    as_of: date
    max_age_days: int | None = None
    covers: tuple[str, ...] = ()
    purposes: tuple[CallPurpose, ...] = ()
    region: str = "US"


class SuppressionListService:
    """Commands of admins on imported lists."""

    def __init__(
        self, app: AutoLynx, context: EventContext, blocks: ListBlocks
    ) -> None:
        self._app, self._context, self._blocks = app, context, blocks

    def check(self, terms: ListTerms) -> None:
        """Raise Invalid for terms out of bounds, before the file is received."""
        today = self._context.now().astimezone(UTC).date()
        check_terms(terms.name, terms.as_of, terms.max_age_days, terms.covers, today)

    def receive(
        self, terms: ListTerms, pieces: Iterable[bytes], *, by: str
    ) -> tuple[ListVersion, int | None]:
        """Read a whole file and replace the list of its name; return the version.

        Nothing is used of a file that cannot be read to its end. Also returns the
        position of the event.

        Raises:
            Invalid: the terms are out of bounds.
            UnreadableList: a line has no number, or the file has none at all.
            OSError: the disk for temporary files is full.
        """
        self.check(terms)
        version_id, digest = self._context.new_id(), hashlib.sha256()
        reader = ListReader(terms.region)
        with BlockBuilder() as builder:
            for piece in pieces:
                digest.update(piece)
                for numbers in reader.feed(piece):
                    builder.add(numbers)
            for numbers in reader.finish():
                builder.add(numbers)
            ids = self._blocks.write(
                version_id, _not_empty(builder.blocks()), self._context.now()
            )
            version = ListVersion(
                list_id=list_id_of(terms.name),
                version_id=version_id,
                name=terms.name.strip(),
                as_of=terms.as_of,
                max_age_days=terms.max_age_days,
                covers=tuple(sorted(set(terms.covers))),
                purposes=tuple(sorted(set(terms.purposes))),
                numbers=builder.numbers,
                blocks_digest=ids.digest(),
                sha256=digest.hexdigest(),
            )
        return version, self._activate(version, by)

    def copy(self, version: ListVersion, phones: Collection[str], *, by: str) -> None:
        """Activate a version with the terms of another one, and only these numbers.

        `phones` are E.164 numbers that the other version contains; there may be none.
        """
        version_id = self._context.new_id()
        with BlockBuilder() as builder:
            if phones:
                digits = [int(phone.removeprefix("+")) for phone in phones]
                builder.add(np.array(digits, np.int64))
            now = self._context.now()
            ids = self._blocks.write(version_id, builder.blocks(), now)
            copied = replace(
                version,
                version_id=version_id,
                numbers=builder.numbers,
                blocks_digest=ids.digest(),
            )
        self._activate(copied, by)

    def remove(self, list_id: UUID, *, by: str) -> int | None:
        """Stop using a list. Raises NotFound."""

        def command() -> int | None:
            lists = self._lists(by)
            lists.remove(list_id, at=self._context.now(), by=by)
            return self._app.append(lists)

        return decide(command)

    def remove_expired(self, now: datetime) -> int:
        """Delete the blocks of replaced and removed versions after an hour.

        Returns how many versions were deleted.
        """
        lists = self._app.find(SuppressionLists, SUPPRESSION_LISTS_ID)
        versions = lists.versions.values() if lists else ()
        return self._blocks.retire([one.version_id for one in versions], now)

    def _activate(self, version: ListVersion, by: str) -> int | None:
        def command() -> int | None:
            lists = self._lists(by)
            lists.activate(version, at=self._context.now(), by=by)
            return self._app.append(lists)

        return decide(command)

    def _lists(self, by: str) -> SuppressionLists:
        found = self._app.find(SuppressionLists, SUPPRESSION_LISTS_ID)
        return found or SuppressionLists.create(at=self._context.now(), by=by)


def _not_empty(blocks: Iterator[Block]) -> Iterator[Block]:
    first = next(blocks, None)
    if first is None:
        raise UnreadableList("The file has no phone number.")
    yield first
    yield from blocks
