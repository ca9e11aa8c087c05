"""What a rehearsal reads from the installation: the upload and the restrictions.

The restrictions are copied for the numbers of the rehearsed list only: the entries of
the register, the imported suppression lists, and the calls that count for frequency
caps. Settings and calling rules are those of the installation as they are.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from application.errors import Failure
from application.installation_key import number_key
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.settings import LONGEST_WINDOW
from projections.composition import Components
from projections.engine.schema import use_read_model
from projections.registers.suppression_list_board import versions
from storage.database import Conn, Pool, connect, open_pool
from storage.suppression.blocks import BlockStore
from storage.vault.tables import Vault

ACTOR = "rehearsal"
"""The actor of the commands that a member would give."""

ROLE = "rehearsal"
REGISTERED = "It is on the register of the installation."
KEPT = timedelta(days=365)
TOGETHER = 500
"""Numbers whose earlier calls are stored in one append."""

_SUPPRESSED: LiteralString = """
    select distinct w.words from suppression_board s
    join words_vault w on w.id = s.phone_id
    where w.words = any(%s)
"""
_CALLS: LiteralString = """
    select number_id, call_id, requested_at from number_call
    where number_id = any(%(numbers)s)
        and requested_at > %(since)s and requested_at <= %(until)s
    order by requested_at
"""


class ListUnreadable(Failure):
    """Numbers of a suppression list of the installation are missing."""


@contextmanager
def reading(url: str) -> Iterator[Conn]:
    """Connect to the installation's database for reads only."""
    with connect(url, name=ROLE) as source:
        source.execute("set default_transaction_read_only = on")
        use_read_model(source)
        yield source


def copy_upload(url: str, built: Components, upload_id: UUID) -> None:
    """Copy an upload with its accepted rows from the installation."""
    with reading(url) as source, built.writing.connection() as target:
        for table, key in (("upload", "id"), ("upload_row", "upload_id")):
            query = f"copy (select * from {table} where {key} = '{upload_id}')"  # noqa: S608 - our own names and a UUID
            rows = source.cursor().copy(f"{query} to stdout".encode())
            stored = target.cursor().copy(f"copy {table} from stdin".encode())
            with rows as read, stored as write:
                for piece in read:
                    write.write(piece)
        target.execute(
            "update upload set expires_at = %s where id = %s",
            (built.now() + KEPT, upload_id),
        )


def copy_restrictions(url: str, built: Components, upload_id: UUID) -> None:
    """Copy what the installation knows about the numbers of an upload.

    Raises:
        ListUnreadable: numbers of a suppression list are missing.
    """
    with built.writing.connection() as conn:
        query = "select distinct phone from upload_row where upload_id = %s"
        phones = [row[0] for row in conn.execute(query, (upload_id,))]
    settings = {"default_transaction_read_only": "on"}
    with (
        reading(url) as source,
        open_pool(url, name=ROLE, max_size=2, settings=settings) as pool,
    ):
        if not _has_read_model(source):
            return
        copied = _Restrictions(source, pool, built, phones)
        copied.copy_register()
        copied.copy_lists()
        copied.copy_calls()


def _has_read_model(source: Conn) -> bool:
    row = source.execute("select to_regclass('number_call')").fetchone()
    return row is not None and row[0] is not None


@dataclass(frozen=True)
class _Restrictions:
    source: Conn
    pool: Pool
    built: Components
    phones: list[str]

    def copy_register(self) -> None:
        """Suppress the numbers that are on the register."""
        for (phone,) in self.source.execute(_SUPPRESSED, (self.phones,)):
            self.built.numbers.suppress(
                phone, source=SuppressionSource.PERSON, reason=REGISTERED, by=ACTOR
            )

    def copy_lists(self) -> None:
        """Activate each suppression list with those numbers of it that are ours."""
        blocks = BlockStore(self.pool)
        for version in versions(self.source):
            covered = [one for one in self.phones if version.covers_number(one)]
            contained, unreadable = blocks.look_up_many(version.version_id, covered)
            if unreadable:
                raise ListUnreadable(
                    f"The suppression list {version.name!r} cannot be read: upload it"
                    " again."
                )
            self.built.suppression_lists.copy(version, contained, by=ACTOR)

    def copy_calls(self) -> None:
        """Count the earlier calls to the numbers, up to the virtual start."""
        key, now = Vault(self.pool).installation_key(), self.built.now()
        if key is None:
            return
        phones = {number_id_of(number_key(key.key, one)): one for one in self.phones}
        values = {"numbers": list(phones), "since": now - LONGEST_WINDOW, "until": now}
        numbers: dict[str, Number] = {}
        for number_id, call_id, at in self.source.execute(_CALLS, values):
            phone = phones[number_id]
            if phone not in numbers:
                numbers[phone] = self._number(phone, now)
            numbers[phone].request(call_id, at=at, by=ACTOR)
        _store(self.built, list(numbers.values()))

    def _number(self, phone: str, now: datetime) -> Number:
        number_id = self.built.numbers.id_of(phone)
        return self.built.app.find(Number, number_id) or Number.unrecorded(
            number_id, now
        )


def _store(built: Components, numbers: Collection[Number]) -> None:
    left = list(numbers)
    while left:
        built.app.append(*left[:TOGETHER])
        left = left[TOGETHER:]
