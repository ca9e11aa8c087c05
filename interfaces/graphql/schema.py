"""The GraphQL schema and its text in the schema definition language."""

from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from interfaces.graphql.commands.access import AccessCommands
from interfaces.graphql.commands.assistants import AssistantCommands
from interfaces.graphql.commands.campaigns import CampaignCommands
from interfaces.graphql.commands.contacts import ContactCommands
from interfaces.graphql.commands.imports import ImportCommands
from interfaces.graphql.commands.members import MemberCommands
from interfaces.graphql.commands.rehearsals import Rehearsals
from interfaces.graphql.commands.settings import SettingsCommands
from interfaces.graphql.commands.single_test_call import TestCallCommands
from interfaces.graphql.commands.suppression_lists import SuppressionListCommands
from interfaces.graphql.commands.suppressions import SuppressionCommands
from interfaces.graphql.commands.webhooks import WebhookCommands
from interfaces.graphql.descriptions import describe
from interfaces.graphql.errors import PublicErrors, Refusals
from interfaces.graphql.extensions.limits import (
    Authentication,
    FreshLoaders,
    Limits,
    Parsing,
    TimeLimit,
    Tokens,
    Validation,
)
from interfaces.graphql.extensions.tracing import Traced
from interfaces.graphql.forecasts import ForecastQueries
from interfaces.graphql.push.shared_frames import SharingExecutor
from interfaces.graphql.types.access import TokenQueries
from interfaces.graphql.types.alerts import AlertQueries
from interfaces.graphql.types.assistants import AssistantQueries
from interfaces.graphql.types.audit import AuditQueries
from interfaces.graphql.types.calling_rules import CallingRuleQueries
from interfaces.graphql.types.calls import CallQueries
from interfaces.graphql.types.campaigns.arms import ArmQueries
from interfaces.graphql.types.campaigns.call_preview import PreviewQueries
from interfaces.graphql.types.campaigns.calling_hours import TimetableQueries
from interfaces.graphql.types.campaigns.campaigns import CampaignQueries
from interfaces.graphql.types.campaigns.dialability import DialabilityQueries
from interfaces.graphql.types.campaigns.redials import RedialQueries
from interfaces.graphql.types.campaigns.spend import SpendQueries
from interfaces.graphql.types.campaigns.terms import RetryQueries
from interfaces.graphql.types.contacts.contacts import ContactQueries
from interfaces.graphql.types.contacts.imports import UploadQueries
from interfaces.graphql.types.contacts.suppression_lists import SuppressionListQueries
from interfaces.graphql.types.contacts.suppressions import SuppressionQueries
from interfaces.graphql.types.event_feed import EventFeed
from interfaces.graphql.types.events import EventQueries
from interfaces.graphql.types.health import HealthFeed, HealthQueries
from interfaces.graphql.types.members import MemberQueries
from interfaces.graphql.types.phone_numbers import PhoneNumberQueries
from interfaces.graphql.types.scalars import SCALARS
from interfaces.graphql.types.settings import SettingsQueries
from interfaces.graphql.types.subscriptions import Changes
from interfaces.graphql.types.webhooks import WebhookQueries


@strawberry.type
class Query(
    MemberQueries,
    TokenQueries,
    CampaignQueries,
    ArmQueries,
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
    PreviewQueries,
    CallingRuleQueries,
    DialabilityQueries,
    ForecastQueries,
    SuppressionListQueries,
    SuppressionQueries,
    RetryQueries,
    RedialQueries,
    TimetableQueries,
    WebhookQueries,
    AlertQueries,
):
    """Root type of queries."""


@strawberry.type
class Mutation(
    ImportCommands,
    CampaignCommands,
    TestCallCommands,
    ContactCommands,
    AssistantCommands,
    MemberCommands,
    AccessCommands,
    SettingsCommands,
    SuppressionListCommands,
    SuppressionCommands,
    WebhookCommands,
):
    """Root type of mutations."""


@strawberry.type
class Subscription(Changes, Rehearsals, EventFeed, HealthFeed):
    """Root type of subscriptions."""


class Schema(strawberry.Schema):
    """The schema with our handling of errors."""

    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,  # noqa: ARG002 - the library's signature
    ) -> None:
        """Log nothing here, because `PublicErrors` logs unexpected errors.

        It does not see syntax errors, so these get their code here.
        """
        for error in errors:
            if isinstance(error, GraphQLSyntaxError):
                error.extensions = {"code": "BAD_REQUEST"}


@cache
def make_schema() -> Schema:
    """Build the schema with its extensions, once in each process."""
    extensions: list[Any] = [
        PublicErrors,
        Authentication,
        TimeLimit,
        FreshLoaders,
        Traced,
        Limits,
        Tokens,
        Parsing,
        Validation,
    ]
    schema = Schema(
        Query,
        Mutation,
        Subscription,
        exception_handlers=[Refusals()],
        extensions=extensions,
        execution_context_class=SharingExecutor,
        config=StrawberryConfig(disable_field_suggestions=True, scalar_map=SCALARS),
    )
    describe(schema._schema)  # noqa: SLF001 - the library has no public access to it
    return schema


def sdl() -> str:
    """Return the schema in the schema definition language, as in `schema.graphql`."""
    return make_schema().as_str() + "\n"
