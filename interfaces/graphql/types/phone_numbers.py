"""Phone numbers from which campaigns call, with their current activity."""

from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.lines import LineActivity
from interfaces.graphql.permissions import EVERYBODY, query


@strawberry.type
class PhoneNumber:
    """A phone number at the provider, and its live calls (null if unknown)."""

    id: str
    number: str | None
    name: str | None
    status: str | None
    active_calls: int | None

    @classmethod
    def of(cls, activity: LineActivity) -> Self:
        """Build it from the activity of a line."""
        line = activity.line
        return cls(
            id=line.id,
            number=line.number,
            name=line.name,
            status=line.status,
            active_calls=activity.active_calls,
        )


@strawberry.type
class PhoneNumberQueries:
    """Queries of phone numbers."""

    @query(EVERYBODY)
    async def phone_numbers(self, info: Info) -> list[PhoneNumber]:
        """Return all phone numbers of the provider's account."""
        backend = info.context.backend
        return [
            PhoneNumber.of(one)
            for one in await backend.run_slow(backend.lines.activity)
        ]
