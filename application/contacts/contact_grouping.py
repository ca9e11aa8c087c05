"""Gives a group to contacts that were imported without one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.files.contact_groups import group_of
from application.event_context import SCHEDULER, EventContext
from domain.contacts.contact_list import ContactList
from domain.gate.groups import grouped


@dataclass(frozen=True, slots=True)
class UngroupedContact:
    """A contact without a group; `phone` and `values` are from the vault."""

    contact_id: UUID
    list_id: UUID
    phone: str
    values: dict[str, str] | None


class ContactGrouping:
    """Records groups in the contact lists, which may be closed."""

    def __init__(self, app: AutoLynx, context: EventContext) -> None:
        self._app, self._context = app, context

    def group(self, contacts: Sequence[UngroupedContact]) -> int:
        """Record the groups of the contacts; return how many were recorded."""
        by_list = attrgetter("list_id")
        for list_id, own in groupby(sorted(contacts, key=by_list), by_list):
            self._group(list_id, list(own))
        return len(contacts)

    def _group(self, list_id: UUID, own: list[UngroupedContact]) -> None:
        ids = tuple(one.contact_id for one in own)
        groups = grouped(group_of(one.phone, one.values) for one in own)

        def command() -> None:
            contacts = self._app.load(ContactList, list_id)
            contacts.group(ids, groups, at=self._context.now(), by=SCHEDULER)
            self._app.append(contacts)

        decide(command)
