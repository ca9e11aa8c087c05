"""The blocks of imported suppression lists in Postgres."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from application.suppression_lists.blocks import (
    BLOCK_BYTES,
    BLOCK_NUMBERS,
    Block,
    BlockIds,
    Numbers,
    block_of,
)
from application.suppression_lists.list_blocks import Mask
from storage.binary import Bigints
from storage.database import Conn, Pool

log = logging.getLogger(__name__)

ROWS = 2_000
"""Blocks that are stored in one transaction: about 2.5 MB."""

NUMBERS_PER_BLOCK = 4
"""From this many numbers in each block on, reading the block is faster than asking
Postgres for one bit after the other (0.1 instead of 0.6 s for 200,000 numbers)."""

RETIRED_FOR = timedelta(hours=1)
"""How long the blocks of a replaced version are kept for decisions under way."""

UNFINISHED_FOR = timedelta(days=1)
"""After this time a version that was never activated is removed."""

_NEW: LiteralString = (
    "insert into suppression_version (version_id, created_at) values (%s, %s)"
)
_COPY: LiteralString = (
    "copy suppression_block (version_id, block_id, bits) from stdin (format binary)"
)
_COMPLETE: LiteralString = (
    "update suppression_version set block_ids = %s where version_id = %s"
)
_IDS: LiteralString = "select block_ids from suppression_version where version_id = %s"
# A block of another length counts as missing.
_BITS: LiteralString = f"""
    select version_id, get_bit(bits, %(bit)s) from suppression_block
    where version_id = any(%(versions)s) and block_id = %(block)s
        and octet_length(bits) = {BLOCK_BYTES}
"""  # noqa: S608 - our own text
_MANY_BITS: LiteralString = f"""
    select array_agg(n.at), array_agg(n.at) filter (
        where get_bit(b.bits, mod(n.number, {BLOCK_NUMBERS})::int) = 1)
    from unnest(%s) with ordinality as n (number, at)
    join suppression_block b
        on b.version_id = %s and b.block_id = n.number / {BLOCK_NUMBERS}
            and octet_length(b.bits) = {BLOCK_BYTES}
"""  # noqa: S608 - our own text
_MANY_BLOCKS: LiteralString = f"""
    select block_id, bits from suppression_block
    where version_id = %s and block_id = any(%s) and octet_length(bits) = {BLOCK_BYTES}
"""  # noqa: S608 - our own text
_STORED: LiteralString = f"""
    select version_id, v.block_ids,
        (select count(*) from suppression_block b
        where b.version_id = v.version_id and octet_length(b.bits) = {BLOCK_BYTES})
    from unnest(%(versions)s::uuid[]) as active (version_id)
    join suppression_version v using (version_id)
"""  # noqa: S608 - our own text
_RETIRE: LiteralString = """
    update suppression_version set retired_at = %(now)s
    where retired_at is null and not version_id = any(%(active)s)
        and (block_ids is not null or created_at < %(unfinished)s)
"""
_OLD: LiteralString = """
    select version_id from suppression_version where retired_at < %(before)s
"""
_DELETE: LiteralString = """
    delete from suppression_block where ctid = any(array(
        select ctid from suppression_block where version_id = %(version)s
        limit 10000))
"""


class BlocksMissing(Exception):
    """Blocks of a list are missing: numbers that it covers must not be called."""


class BlockStore:
    """Stores and reads the blocks of list versions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ids = lru_cache(maxsize=64)(self._read_ids)

    def write(
        self, version_id: UUID, blocks: Iterable[Block], now: datetime
    ) -> BlockIds:
        """Store the blocks of a new version in short transactions; return their ids.

        Raises what the database raises; the rows stored by then are removed later.
        """
        with self._pool.connection() as conn:
            conn.execute(_NEW, (version_id, now))
        ids: list[int] = []
        remaining = iter(blocks)
        while rows := list(islice(remaining, ROWS)):
            with self._pool.connection() as conn:
                _copy(conn, version_id, rows)
            ids += [block.id for block in rows]
        stored = BlockIds.of(ids)
        with self._pool.connection() as conn:
            conn.execute(_COMPLETE, (stored.to_bytes(), version_id))
        return stored

    def contained(
        self, conn: Conn, versions: Collection[UUID], number: str
    ) -> dict[UUID, bool]:
        """Return for each version whether it contains an E.164 number.

        Raises:
            BlocksMissing: a block that a version lists is not stored.
        """
        block, bit = block_of(number)
        values = {"versions": list(versions), "block": block, "bit": bit}
        found = {row[0]: bool(row[1]) for row in conn.execute(_BITS, values)}
        for version in versions:
            if version not in found:
                if block in self._ids(version):
                    raise BlocksMissing(f"block {block} of version {version}")
                found[version] = False
        return found

    def look_up(
        self,
        versions: Collection[UUID],
        number: str,
        known: Mapping[UUID, bool] = MappingProxyType({}),
    ) -> dict[UUID, bool]:
        """Return which versions contain a number, as `contained` does.

        `known` has answers that were read with the contact (`Vault.callee`). The
        database is not asked about them, nor about blocks that a version does not have.
        A version whose blocks are missing is left out, and the fault is logged.
        """
        found: dict[UUID, bool] = {}
        block, _ = block_of(number)
        for version in versions:
            if version in known:
                found[version] = known[version]
                continue
            try:
                found[version] = block in self._ids(version) and self._read_bit(
                    version, number
                )
            except BlocksMissing as fault:
                log.error("a suppression list cannot be read: %s", fault)  # noqa: TRY400 - the message says it all
        return found

    def _read_bit(self, version: UUID, number: str) -> bool:
        with self._pool.connection() as conn:
            return self.contained(conn, [version], number)[version]

    def look_up_many(
        self, version: UUID, numbers: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        """Return the E.164 numbers that a version contains, and those not readable.

        The latter lie in blocks that are missing.
        """
        digits = np.array([int(number[1:]) for number in numbers], np.int64)
        contained, unreadable = self.look_up_digits(version, digits)
        return (
            {numbers[at] for at in np.flatnonzero(contained).tolist()},
            {numbers[at] for at in np.flatnonzero(unreadable).tolist()},
        )

    def look_up_digits(self, version: UUID, numbers: Numbers) -> tuple[Mask, Mask]:
        """Return of many numbers which a version contains, and which are not readable.

        `numbers` are the digits of E.164 as whole numbers. Those that are not readable
        lie in blocks that are missing.
        """
        contained = np.zeros(len(numbers), np.bool_)
        unreadable = np.zeros(len(numbers), np.bool_)
        try:
            asked = self._ids(version).among(numbers)
        except BlocksMissing as fault:
            log.error("a suppression list cannot be read: %s", fault)  # noqa: TRY400 - the message says it all
            return contained, ~unreadable
        if not len(asked):
            return contained, unreadable
        blocks, at = np.unique(numbers[asked] // BLOCK_NUMBERS, return_inverse=True)
        with self._pool.connection() as conn:
            if len(asked) >= NUMBERS_PER_BLOCK * len(blocks):
                bits = numbers[asked] % BLOCK_NUMBERS
                read, listed = _from_blocks(conn, version, blocks, at, bits)
            else:
                read, listed = _from_bits(conn, version, numbers[asked])
        unreadable[asked] = ~read
        contained[asked] = listed
        return contained, unreadable

    def retire(self, active: Collection[UUID], now: datetime) -> int:
        """Mark versions that are not active, and delete those retired an hour ago.

        Returns how many versions were deleted.
        """
        with self._pool.connection() as conn:
            values = {"active": list(active), "now": now}
            conn.execute(_RETIRE, {**values, "unfinished": now - UNFINISHED_FOR})
            old = [row[0] for row in conn.execute(_OLD, {"before": now - RETIRED_FOR})]
        for version in old:
            self._delete(version)
        return len(old)

    def _delete(self, version: UUID) -> None:
        deleted = 1
        while deleted:
            with self._pool.connection() as conn:
                deleted = conn.execute(_DELETE, {"version": version}).rowcount
        with self._pool.connection() as conn:
            conn.execute(
                "delete from suppression_version where version_id = %s", (version,)
            )

    def _read_ids(self, version_id: UUID) -> BlockIds:
        with self._pool.connection() as conn:
            row = conn.execute(_IDS, (version_id,)).fetchone()
        if row is None or row[0] is None:
            raise BlocksMissing(f"the header of version {version_id}")
        try:
            return BlockIds.from_bytes(row[0])
        except ValueError as error:
            raise BlocksMissing(f"the header of version {version_id}") from error


def block_faults(conn: Conn, digests: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return which of these versions are not stored completely, and why.

    `digests` has for each version the `blocks_digest` with which it was activated.
    """
    faults = dict.fromkeys(digests, "its header is missing")
    values = {"versions": list(digests)}
    for version, block_ids, stored in conn.execute(_STORED, values):
        try:
            ids = BlockIds.from_bytes(block_ids or b"")
        except ValueError:
            faults[version] = "its header cannot be read"
            continue
        if ids.digest() != digests[version]:
            faults[version] = "its header is not the one that was activated"
        elif stored < len(ids):
            missing = len(ids) - stored
            faults[version] = f"{missing:,} of its {len(ids):,} blocks are missing"
        else:
            del faults[version]
    return faults


def _from_bits(conn: Conn, version: UUID, numbers: Numbers) -> tuple[Mask, Mask]:
    """Return which numbers lie in stored blocks, and which the version contains.

    Postgres reads one bit for each number.
    """
    cursor = conn.cursor(binary=True)
    row = cursor.execute(_MANY_BITS, (_encoded(numbers), version)).fetchone()
    read, listed = np.zeros(len(numbers), np.bool_), np.zeros(len(numbers), np.bool_)
    for mask, found in zip((read, listed), row or (), strict=False):
        mask[np.array(found or (), np.intp) - 1] = True
    return read, listed


def _from_blocks(
    conn: Conn,
    version: UUID,
    blocks: Numbers,
    at: NDArray[np.intp],
    bits: Numbers,
) -> tuple[Mask, Mask]:
    """Return the same from whole blocks, of which ROWS at most are held at a time.

    `blocks` are sorted ids. Each number is bit `bits` of the block at the index `at`.
    """
    read, listed = np.zeros(len(at), np.bool_), np.zeros(len(at), np.bool_)
    order = np.argsort(at, kind="stable")
    cursor = conn.cursor(binary=True)
    for start in range(0, len(blocks), ROWS):
        some = blocks[start : start + ROWS]
        found = cursor.execute(_MANY_BLOCKS, (version, _encoded(some))).fetchall()
        if not found:
            continue
        content = np.frombuffer(b"".join(row[1] for row in found), np.uint8)
        row_of = np.full(len(some), -1, np.intp)
        row_of[np.searchsorted(some, [row[0] for row in found])] = range(len(found))
        first, end = np.searchsorted(at, (start, start + len(some)), sorter=order)
        own = order[first:end]
        rows = row_of[at[own] - start]
        own, rows = own[rows >= 0], rows[rows >= 0]
        read[own] = True
        byte = content[rows * BLOCK_BYTES + bits[own] // 8]
        listed[own] = (byte >> (bits[own] % 8)) & 1
    return read, listed


def _copy(conn: Conn, version_id: UUID, blocks: Iterable[Block]) -> None:
    with conn.cursor().copy(_COPY) as copy:
        copy.set_types(["uuid", "int8", "bytea"])
        for block in blocks:
            copy.write_row((version_id, block.id, block.bits))


def _encoded(numbers: Numbers) -> Bigints:
    """Encode an array parameter; encoding the numbers one by one takes 0.1 s."""
    fields = np.empty(len(numbers), [("bytes", ">i4"), ("value", ">i8")])
    fields["bytes"], fields["value"] = 8, numbers
    return Bigints.of_fields(fields.tobytes(), len(numbers))
