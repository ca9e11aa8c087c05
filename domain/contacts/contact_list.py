"""The accepted and skipped rows of one uploaded file, recorded page by page.

An interrupted import continues after the rows that are recorded already.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.errors import Conflict, WrongState
from domain.gate.groups import GroupedRows
from domain.values import SkipReason, VaultText


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row of the file that is not called; the header is `row` 1."""

    row: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How many rows of the file were skipped for one reason."""

    reason: SkipReason
    rows: int


class ContactListEvent(Aggregate.Event):
    """`actor` is the member who imports the file.

    `digest`, in the events that have it, is the SHA-256 over the vault's rows.
    """

    actor: str
    campaign_id: UUID


class ContactList(Aggregate):
    """A list of contacts that is filled by one import and then closed.

    `staged_up_to` is the ordinal of the last staged row that was recorded, and
    `rejects_up_to` the row number of the last recorded reject: an interrupted import
    continues there.
    """

    TOPIC = "contact_list"

    class Created(ContactListEvent, Aggregate.Created):
        """The import began; the list's first contact is number `starts_at`."""

        TOPIC = "contact_list.created"
        starts_at: int
        filename: VaultText
        key_digest: str | None
        columns: VaultText | None = None
        """The names of the file's columns; None in lists of release 1."""

    class RowsAccepted(ContactListEvent):
        """Rows became contacts; `first` rows of the list were accepted before.

        `groups` names the group of each contact; contacts of lists that were imported
        before groups existed have none yet.
        """

        TOPIC = "contact_list.rows_accepted"
        first: int
        contact_ids: tuple[UUID, ...]
        digest: str
        staged_up_to: int
        groups: tuple[GroupedRows, ...] = ()

    class ContactsGrouped(ContactListEvent):
        """Contacts of the list that had no group yet got one."""

        TOPIC = "contact_list.contacts_grouped"
        contact_ids: tuple[UUID, ...]
        groups: tuple[GroupedRows, ...]

    class RowsSkipped(ContactListEvent):
        """Rows did not become contacts."""

        TOPIC = "contact_list.rows_skipped"
        skipped: tuple[Skipped, ...]
        digest: str
        staged_up_to: int
        rejects_up_to: int

    class RejectsCounted(ContactListEvent):
        """Further rows were skipped; their numbers and texts are not stored."""

        TOPIC = "contact_list.rejects_counted"
        counts: tuple[RejectCount, ...]

    class Closed(ContactListEvent):
        """The import is complete; `accepted` and `skipped` count all rows."""

        TOPIC = "contact_list.closed"
        accepted: int
        skipped: int

    @classmethod
    def create(
        cls,
        *,
        list_id: UUID,
        campaign_id: UUID,
        starts_at: int,
        filename: VaultText,
        key_digest: str | None,
        columns: VaultText | None,
        at: datetime,
        by: str,
    ) -> Self:
        """Open the list; its first contact is number `starts_at` of the campaign.

        `key_digest` is the digest of the campaign's secret key if this list creates it,
        otherwise None.
        """
        return cls._create(
            cls.Created,
            id=list_id,
            timestamp=at,
            actor=by,
            campaign_id=campaign_id,
            starts_at=starts_at,
            filename=filename,
            key_digest=key_digest,
            columns=columns,
        )

    @event(Created)
    def __init__(self, campaign_id: UUID, starts_at: int) -> None:
        self.campaign_id, self.starts_at = campaign_id, starts_at
        self.accepted = self.skipped = self.staged_up_to = self.rejects_up_to = 0
        self.rejects_not_kept = 0
        self.closed = False

    def must_belong_to(self, campaign_id: UUID) -> None:
        """Raise Conflict if the list belongs to another campaign."""
        if self.campaign_id != campaign_id:
            raise Conflict(
                "This upload was imported into another campaign: upload the file again."
            )

    def accept(
        self,
        *,
        contact_ids: tuple[UUID, ...],
        digest: str,
        staged_up_to: int,
        at: datetime,
        by: str,
        groups: tuple[GroupedRows, ...] = (),
    ) -> None:
        """Record the contacts of the next rows, with the group of each.

        Raises WrongState if the list is closed.
        """
        self._must_be_open()
        self._record(
            self.RowsAccepted,
            at,
            by,
            first=self.accepted,
            contact_ids=contact_ids,
            digest=digest,
            staged_up_to=staged_up_to,
            groups=groups,
        )

    def group(
        self,
        contact_ids: tuple[UUID, ...],
        groups: tuple[GroupedRows, ...],
        *,
        at: datetime,
        by: str,
    ) -> None:
        """Record the groups of contacts that were imported without one."""
        fields = {"contact_ids": contact_ids, "groups": groups}
        self._record(self.ContactsGrouped, at, by, **fields)

    def skip(
        self,
        *,
        skipped: tuple[Skipped, ...],
        digest: str,
        at: datetime,
        by: str,
        staged_up_to: int | None = None,
        rejects_up_to: int | None = None,
    ) -> None:
        """Record rows that do not become contacts.

        They are either rejects of the file (with `rejects_up_to`) or staged rows whose
        contact is in the campaign already or was erased (with `staged_up_to`). Raises
        WrongState if the list is closed.
        """
        self._must_be_open()
        staged = self.staged_up_to if staged_up_to is None else staged_up_to
        rejects = self.rejects_up_to if rejects_up_to is None else rejects_up_to
        fields = {"staged_up_to": staged, "rejects_up_to": rejects}
        self._record(self.RowsSkipped, at, by, skipped=skipped, digest=digest, **fields)

    def count_rejects(
        self, counts: tuple[RejectCount, ...], *, at: datetime, by: str
    ) -> None:
        """Count skipped rows whose text is not stored; a repeated call does nothing.

        Raises WrongState if the list is closed.
        """
        if counts and not self.rejects_not_kept:
            self._must_be_open()
            self._record(self.RejectsCounted, at, by, counts=counts)

    def close(self, *, at: datetime, by: str) -> None:
        """Complete the list; a repeated call does nothing."""
        if not self.closed:
            fields = {"accepted": self.accepted, "skipped": self.skipped}
            self._record(self.Closed, at, by, **fields)

    def _must_be_open(self) -> None:
        if self.closed:
            raise WrongState("The list is closed.")

    def _record(
        self, fact: type[ContactListEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        ids = {"campaign_id": self.campaign_id}
        self.trigger_event(fact, timestamp=at, actor=by, **ids, **fields)

    @event(RowsAccepted)
    def _rows_accepted(
        self, first: int, contact_ids: tuple[UUID, ...], staged_up_to: int
    ) -> None:
        self.accepted = first + len(contact_ids)
        self.staged_up_to = staged_up_to

    @event(ContactsGrouped)
    def _contacts_grouped(self) -> None:
        """Nothing changes that a command depends on."""

    @event(RowsSkipped)
    def _rows_skipped(
        self, skipped: tuple[Skipped, ...], staged_up_to: int, rejects_up_to: int
    ) -> None:
        self.skipped += len(skipped)
        self.staged_up_to, self.rejects_up_to = staged_up_to, rejects_up_to

    @event(RejectsCounted)
    def _rejects_counted(self, counts: tuple[RejectCount, ...]) -> None:
        self.rejects_not_kept = sum(count.rows for count in counts)
        self.skipped += self.rejects_not_kept

    @event(Closed)
    def _closed(self) -> None:
        self.closed = True
