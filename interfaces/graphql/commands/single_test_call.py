"""Test calls: a member calls a number of their own before a campaign starts."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import strawberry

from application.campaigns.single_test_call import NewTestCall
from domain.errors import Invalid
from interfaces.graphql.commands.campaigns import campaign_after
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import OPERATORS, mutation
from interfaces.graphql.types.campaigns.campaigns import CampaignResult
from interfaces.graphql.types.paging import as_uuid
from interfaces.graphql.types.scalars import JSON


@strawberry.input(description="The same requestId always returns the same test call.")
class TestCallInput:
    """Input of `placeTestCall`; `variables` is an object of texts."""

    assistant_id: strawberry.ID
    phone_number_id: str
    phone: str
    name: str | None = "Test"
    variables: JSON | None = None
    request_id: strawberry.ID | None = None


@strawberry.type
class TestCallCommands:
    """Mutations of test calls."""

    @mutation(
        OPERATORS,
        "Places a single test call, as a campaign with one contact. It expires if it"
        " cannot be placed within two minutes.",
    )
    async def place_test_call(
        self,
        info: Info,
        input: TestCallInput,  # noqa: A002 - the contract's name
    ) -> CampaignResult:
        """Create and start the campaign of a test call."""
        backend, by = info.context.backend, info.context.viewer.email
        place = partial(backend.services.test_calls.place, _new(input), by=by)
        campaign_id, position = await backend.run_slow(place)
        return await campaign_after(info.context, campaign_id, position)


def _new(asked: TestCallInput) -> NewTestCall:
    return NewTestCall(
        assistant_id=as_uuid("assistant", asked.assistant_id),
        phone_number_id=asked.phone_number_id,
        phone=asked.phone,
        name=asked.name or "Test",
        variables=_texts(asked.variables),
        request_id=as_uuid("request", asked.request_id) if asked.request_id else None,
    )


def _texts(variables: Any) -> Mapping[str, str]:
    """Return variables as texts, as a contact file has them. Raises Invalid."""
    if variables is None:
        return {}
    plain = str | int | float | bool | None
    if not isinstance(variables, dict) or not all(
        isinstance(value, plain) for value in variables.values()
    ):
        rule = "must be an object of texts and numbers"
        raise Invalid(f"The variables {rule}.", variables=rule)
    return {
        str(name): "" if value is None else str(value)
        for name, value in variables.items()
    }
