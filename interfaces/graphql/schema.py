"""The whole schema, and its text."""

from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from interfaces.graphql.assistants import AssistantCommands, AssistantQueries
from interfaces.graphql.audit import AuditQueries
from interfaces.graphql.calls import CallQueries
from interfaces.graphql.campaign_commands import CampaignCommands
from interfaces.graphql.campaigns import CampaignQueries
from interfaces.graphql.contacts import ContactQueries
from interfaces.graphql.errors import PublicErrors, Refusals
from interfaces.graphql.event_feed import EventFeed
from interfaces.graphql.events import EventQueries
from interfaces.graphql.health import HealthFeed, HealthQueries
from interfaces.graphql.imports import UploadQueries
from interfaces.graphql.limits import (
    Entrance,
    FreshLoaders,
    Limits,
    Parsing,
    TimeLimit,
    Tokens,
    Validation,
)
from interfaces.graphql.members import MemberCommands, MemberQueries
from interfaces.graphql.phone_numbers import PhoneNumberQueries
from interfaces.graphql.scalars import SCALARS
from interfaces.graphql.settings import SettingsCommands, SettingsQueries
from interfaces.graphql.sharing import SharingExecutor
from interfaces.graphql.spend import SpendQueries
from interfaces.graphql.subscriptions import Changes
from interfaces.graphql.tracing import Traced


@strawberry.type
class Query(
    MemberQueries,
    CampaignQueries,
    CallQueries,
    ContactQueries,
    EventQueries,
    AuditQueries,
    AssistantQueries,
    PhoneNumberQueries,
    SettingsQueries,
    SpendQueries,
    HealthQueries,
    UploadQueries,
):
    pass


@strawberry.type
class Mutation(CampaignCommands, AssistantCommands, MemberCommands, SettingsCommands):
    pass


@strawberry.type
class Subscription(Changes, EventFeed, HealthFeed):
    pass


class Schema(strawberry.Schema):
    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,  # noqa: ARG002 - the library's signature
    ) -> None:
        """Log nothing here: `PublicErrors` logs what is unexpected, once.

        It does not see what could not be parsed.
        """
        for error in errors:
            if isinstance(error, GraphQLSyntaxError):
                error.extensions = {"code": "BAD_REQUEST"}


def make_schema() -> Schema:
    extensions: list[Any] = [
        PublicErrors,
        Entrance,
        TimeLimit,
        FreshLoaders,
        Traced,
        Limits,
        Tokens,
        Parsing,
        Validation,
    ]
    return Schema(
        Query,
        Mutation,
        Subscription,
        exception_handlers=[Refusals()],
        extensions=extensions,
        execution_context_class=SharingExecutor,
        config=StrawberryConfig(disable_field_suggestions=True, scalar_map=SCALARS),
    )


def sdl() -> str:
    return make_schema().as_str() + "\n"
