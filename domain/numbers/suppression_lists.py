"""The imported suppression lists, such as a national do-not-call registry.

All lists are one stream, so that a decision about a call can expect its version and a
list that is activated meanwhile is not missed. The numbers themselves are not in
events; they are bits in blocks of 10,000 numbers that belong to one version of a list.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid, NotFound
from domain.gate.decision import ListFinding
from domain.gate.rules import CallPurpose
from domain.values import NAMESPACE

SUPPRESSION_LISTS_ID = uuid5(NAMESPACE, "suppression lists")

LONGEST_NAME = 100
LONGEST_PREFIX = 15
MOST_DAYS = 3_650
EXPIRING_DAYS = 7
"""A list is shown as expiring for so many days before its maximum age."""


class Freshness(StrEnum):
    """FRESH, EXPIRING within a week, or STALE: older than its maximum age."""

    FRESH = "FRESH"
    EXPIRING = "EXPIRING"
    STALE = "STALE"


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One version of a list.

    `version_id` names its blocks. `as_of` is the date of the data, not of the upload,
    and `max_age_days` how long the version may be used after it; None is for ever.
    `covers` are the prefixes, such as +1202, for which the list says who may be called;
    empty means all numbers. `purposes` are those of the campaigns that it restricts;
    empty means all. `blocks_digest` is the SHA-256 of the ids of its blocks.
    """

    list_id: UUID
    version_id: UUID
    name: str
    as_of: date
    max_age_days: int | None
    covers: tuple[str, ...]
    purposes: tuple[CallPurpose, ...]
    numbers: int
    blocks_digest: str
    sha256: str

    def freshness(self, today: date) -> Freshness:
        """Return how old the data is on a UTC date."""
        if self.max_age_days is None:
            return Freshness.FRESH
        last = self.as_of + timedelta(days=self.max_age_days)
        if today > last:
            return Freshness.STALE
        expiring = today > last - timedelta(days=EXPIRING_DAYS)
        return Freshness.EXPIRING if expiring else Freshness.FRESH

    def is_about(self, purpose: CallPurpose) -> bool:
        """Return whether the list restricts campaigns of a purpose."""
        return not self.purposes or purpose in self.purposes

    def covers_number(self, number: str) -> bool:
        """Return whether an E.164 number lies within the list's prefixes."""
        return not self.covers or number.startswith(self.covers)


def findings(
    versions: Collection[ListVersion],
    number: str,
    purpose: CallPurpose,
    contained: Mapping[UUID, bool] | None,
    today: date,
) -> tuple[ListFinding, ...] | None:
    """Return what the lists for a purpose say of an E.164 number.

    `contained` has for each version whether its blocks contain the number. None if the
    blocks of a list that covers the number could not be read: nobody is called then.
    """
    found: list[ListFinding] = []
    for version in versions:
        if not version.is_about(purpose):
            continue
        covers = version.covers_number(number)
        if covers and (contained is None or version.version_id not in contained):
            return None
        found.append(
            ListFinding(
                name=version.name,
                as_of=version.as_of,
                contains=covers and bool(contained and contained[version.version_id]),
                covers=covers,
                is_stale=version.freshness(today) is Freshness.STALE,
            )
        )
    return tuple(found)


def check_terms(
    name: str,
    as_of: date,
    max_age_days: int | None,
    covers: Collection[str],
    today: date,
) -> None:
    """Raise Invalid unless each value is in bounds, before a file is received."""
    if not name.strip() or len(name) > LONGEST_NAME:
        wrong = f"must have 1 to {LONGEST_NAME} characters"
        raise Invalid(f"name {wrong}.", name=wrong)
    if as_of > today + timedelta(days=1):
        wrong = "must not be in the future: give the date of the data"
        raise Invalid(f"asOf {wrong}.", asOf=wrong)
    if max_age_days is not None and not 1 <= max_age_days <= MOST_DAYS:
        fault = f"must be from 1 to {MOST_DAYS:,}, or left out"
        raise Invalid(f"maxAgeDays {fault}.", maxAgeDays=fault)
    for prefix in covers:
        digits = prefix.removeprefix("+")
        is_prefix = digits.isascii() and digits.isdigit() and prefix.startswith("+")
        if not is_prefix or len(digits) > LONGEST_PREFIX:
            fault = f"{prefix[:30]!r} is no prefix such as +1202"
            raise Invalid(f"covers: {fault}.", covers=fault)


class SuppressionListsEvent(Aggregate.Event):
    """`actor` is the admin."""

    actor: str


class SuppressionLists(Aggregate):
    """All lists of the installation, by id; `versions` are the active ones."""

    TOPIC = "suppression_lists"

    class Created(SuppressionListsEvent, Aggregate.Created):
        """The installation got its first list."""

        TOPIC = "suppression_lists.created"

    class Activated(SuppressionListsEvent):
        """A version became active; it replaces the one before as one step."""

        TOPIC = "suppression_lists.activated"
        version: ListVersion
        replaces: UUID | None

    class Removed(SuppressionListsEvent):
        """A list is not used any more; its blocks are deleted an hour later."""

        TOPIC = "suppression_lists.removed"
        list_id: UUID
        version_id: UUID

    @classmethod
    def create(cls, *, at: datetime, by: str) -> Self:
        """Return the stream of an installation that has no list yet."""
        return cls._create(cls.Created, id=SUPPRESSION_LISTS_ID, timestamp=at, actor=by)

    @event(Created)
    def __init__(self) -> None:
        self.versions: dict[UUID, ListVersion] = {}

    def activate(self, version: ListVersion, *, at: datetime, by: str) -> None:
        """Use a version whose blocks are stored, in place of the list's last one."""
        before = self.versions.get(version.list_id)
        if before is not None and before.version_id == version.version_id:
            return
        self.trigger_event(
            self.Activated,
            timestamp=at,
            actor=by,
            version=version,
            replaces=before.version_id if before else None,
        )

    def remove(self, list_id: UUID, *, at: datetime, by: str) -> None:
        """Stop using a list. Raises NotFound if there is none with that id."""
        version = self.versions.get(list_id)
        if version is None:
            raise NotFound("suppression list", list_id)
        self.trigger_event(
            self.Removed,
            timestamp=at,
            actor=by,
            list_id=list_id,
            version_id=version.version_id,
        )

    @event(Activated)
    def _activated(self, version: ListVersion) -> None:
        self.versions = {**self.versions, version.list_id: version}

    @event(Removed)
    def _removed(self, list_id: UUID) -> None:
        self.versions = {
            own: version for own, version in self.versions.items() if own != list_id
        }


def list_id_of(name: str) -> UUID:
    """Return the id of the list of a name; a file of the same name replaces it."""
    return uuid5(SUPPRESSION_LISTS_ID, name.strip().casefold())
