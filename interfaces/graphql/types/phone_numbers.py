"""Phone numbers from which campaigns call, with their current activity."""

from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.lines import LineActivity
from interfaces.graphql.permissions import EVERYBODY, query


@strawberry.type
class PhoneNumber:
    id: str
    number: str | None
    name: str | None
    status: str | None
    active_calls: int | None

    @classmethod
    def of(cls, activity: LineActivity) -> Self:
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
    @query(EVERYBODY)
    async def phone_numbers(self, info: Info) -> list[PhoneNumber]:
        backend = info.context.backend
        return [
            PhoneNumber.of(one)
            for one in await backend.run_slow(backend.lines.activity)
        ]
