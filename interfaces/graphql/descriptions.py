"""Descriptions of types, fields, arguments and enum values in the schema.

A type is described by the docstring of its class, unless the class has a description of
its own. A field without a description in its class has one in `field_descriptions`. An
argument is described by its name, since arguments of one name mean the same everywhere.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema, GraphQLUnionType

from interfaces.graphql.field_descriptions import (
    calls,
    campaigns,
    contacts,
    installation,
    planning,
    values,
)

ARGUMENTS: Mapping[str, str] = {
    "after": "endCursor of the previous page; null for the first page.",
    "asOf": "Show the state at this time instead of the present one.",
    "assistantId": "Our id of an assistant.",
    "at": "The time in question.",
    "bucketSeconds": "Width of an interval, 1 s to one day.",
    "callingHours": "Narrower hours than the rules allow.",
    "campaignId": "Id of a campaign.",
    "config": "A configuration in the provider's format.",
    "contactId": "Id of a contact.",
    "contacts": "Number of contacts.",
    "days": "Days until it expires; null for the default.",
    "deliveryId": "Id of a delivery.",
    "disposition": "Business result; null clears it.",
    "dispositions": "Only contacts with one of these dispositions.",
    "draft": "A campaign that is not created yet.",
    "email": "E-mail address of a member.",
    "enabled": "Whether messages are sent to it.",
    "failedOnly": "Only deliveries whose last attempt failed.",
    "filter": "Only events that match every given field.",
    "first": "Largest number of rows.",
    "form": "Values to write into the configuration.",
    "goalRate": "Expected share of contacts that reach the goal, 0 to 1.",
    "hangUp": "Whether to end live calls as well.",
    "id": "Id of the object in question.",
    "includeArchived": "Whether to list archived ones as well.",
    "input": "The values.",
    "name": "Name to use; null for the usual one.",
    "newestFirst": "Whether the newest come first.",
    "note": "Text of a member about it.",
    "outcomes": "Only contacts with one of these outcomes.",
    "phone": "A phone number, E.164 or as written in the default region.",
    "place": "A country or subdivision, such as US or US-FL.",
    "policy": "The retry policy in question.",
    "providerAssistantId": "The provider's id of an assistant.",
    "purpose": "Why the contacts are called.",
    "reason": "Text of a member about the reason.",
    "redial": "Which contacts of an earlier campaign to take.",
    "requireConsent": "Whether only contacts with a stated consent are called.",
    "role": "Role of the member.",
    "row": "Number of a row of the file; null for its first contact.",
    "search": "Text to search for.",
    "shares": "Shares of the arms in percent, in their order.",
    "states": "Only campaigns in one of these states.",
    "statuses": "Only contacts with one of these statuses.",
    "types": "Types of messages; empty for all.",
    "uploadId": "Id of an upload.",
    "url": "The URL to which messages are posted.",
    "waitingFor": "Only contacts that wait for one of these reasons.",
    "withheld": "Only contacts that are withheld for one of these reasons.",
}
"""Descriptions by the name of an argument, unless the argument has one of its own."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    **calls.FIELDS,
    **campaigns.FIELDS,
    **contacts.FIELDS,
    **installation.FIELDS,
    **planning.FIELDS,
    **values.FIELDS,
}
"""Descriptions of fields, input fields and enum values by the name of their type."""

DEFINITION = "strawberry-definition"
"""Where the library keeps the definition of a type, among its extensions."""


def describe(schema: GraphQLSchema) -> None:
    """Add the missing descriptions of all parts to a schema."""
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        kind.description = kind.description or _of_type(kind)
        described = FIELDS.get(name, {})
        for value_name, value in getattr(kind, "values", {}).items():
            value.description = value.description or described.get(value_name)
        for field_name, field in getattr(kind, "fields", {}).items():
            field.description = field.description or described.get(field_name)
            for argument_name, argument in getattr(field, "args", {}).items():
                known = ARGUMENTS.get(argument_name)
                argument.description = argument.description or known


def _of_type(kind: GraphQLNamedType) -> str | None:
    if isinstance(kind, GraphQLUnionType):
        return f"{' or '.join(one.name for one in kind.types)}."
    definition: Any = kind.extensions.get(DEFINITION)
    origin = getattr(definition, "origin", None) or getattr(
        definition, "wrapped_cls", None
    )
    return paragraph(inspect.getdoc(origin)) if origin else None


def paragraph(text: str | None) -> str | None:
    """Return the first paragraph of a docstring as one line."""
    return None if text is None else " ".join(text.partition("\n\n")[0].split())
