"""Everything that a mutation does can be done on the command line."""

import pytest
import typer
from graphql import GraphQLInputObjectType, get_named_type

from interfaces.cli.main import build
from interfaces.graphql.schema import make_schema

COMMANDS = {
    "createCampaign": "campaigns create",
    "importContacts": "campaigns import-contacts",
    "startCampaign": "campaigns start",
    "pauseCampaign": "campaigns pause",
    "resumeCampaign": "campaigns resume",
    "cancelCampaign": "campaigns cancel",
    "updateCampaign": "campaigns change",
    "placeTestCall": "campaigns test-call",
    "setDisposition": "campaigns set-disposition",
    "callAgain": "campaigns call-again",
    "removeContact": "campaigns remove-contact",
    "createAssistant": "assistants create",
    "importAssistant": "assistants import",
    "updateAssistant": "assistants change",
    "addAssistantTools": "assistants add-tools",
    "archiveAssistant": "assistants archive",
    "addMember": "members add",
    "changeMemberRole": "members add",
    "removeMember": "members remove",
    "createSignInLink": "signin",
    "createToken": "tokens create",
    "revokeToken": "tokens revoke",
    "updateSettings": "settings",
    "allowRequestsAgain": "allow-requests",
    "removeSuppressionList": "suppressions remove-list",
    "suppressNumber": "suppressions add",
    "liftSuppression": "suppressions lift",
    "addWebhookEndpoint": "webhooks add",
    "updateWebhookEndpoint": "webhooks change",
    "removeWebhookEndpoint": "webhooks remove",
    "rotateWebhookSecret": "webhooks rotate",
    "resendWebhook": "webhooks resend",
}
"""The command that does the same as a mutation."""

NO_COMMAND: dict[str, str] = {}
"""Mutations without a command, and why they need none."""


def test_each_mutation_has_a_command_or_a_reason_to_have_none() -> None:
    mutations = make_schema()._schema.mutation_type
    assert mutations is not None
    assert COMMANDS.keys() | NO_COMMAND.keys() == mutations.fields.keys()
    assert COMMANDS.keys() & NO_COMMAND.keys() == set()


def test_each_command_of_the_table_exists() -> None:
    existing = set(_commands(typer.main.get_group(build())))
    assert set(COMMANDS.values()) <= existing


OPTIONS = {
    "createCampaign": {
        "name": "--name",
        "uploadId": "--file",
        "assistantId": "--assistant",
        "phoneNumberId": "--phone-number",
        "cap": "--cap",
        "mode": "--mode",
        "lineQuietGating": "--line-quiet-gating",
        "budget": "--budget",
        "requestId": "--request-id",
        "arms": "--arm",
        "retryPolicy": "--retry-policy",
        "outputRules": "--output-rule",
        "callbackOutput": "--callback-output",
        "startsAt": "--starts-at",
        "endsAt": "--ends-at",
        "purpose": "--purpose",
        "callingHours": "--hours",
        "requireConsent": "--require-consent",
    },
    "updateCampaign": {
        "assistantId": "--assistant",
        "phoneNumberId": "--phone-number",
        "name": "--name",
        "cap": "--cap",
        "lineQuietGating": "--line-quiet-gating",
        "budget": "--budget",
        "retryPolicy": "--retry-policy",
        "outputRules": "--output-rule",
        "callbackOutput": "--callback-output",
        "startsAt": "--starts-at",
        "endsAt": "--ends-at",
        "callingHours": "--hours",
    },
}
"""The option that does the same as a field of a mutation's input."""

OTHER_COMMAND = {"redial"}
"""Fields that choose a command of its own: `campaigns redial`."""

HOURS = {
    "rules": "--waive-rules",
    "reason": "--waive-rules",
    "windows": "--hours",
    "blackoutDates": "--blackout-date",
    "lastStartMinutes": "--last-start-minutes",
}
"""The options for the fields of CallingHoursInput."""


@pytest.mark.parametrize("mutation", OPTIONS)
def test_each_field_of_a_campaign_has_an_option(mutation: str) -> None:
    schema = make_schema()._schema
    assert schema.mutation_type is not None
    arguments = schema.mutation_type.fields[mutation].args
    asked = get_named_type(arguments["input"].type)
    hours = schema.type_map["CallingHoursInput"]
    assert isinstance(asked, GraphQLInputObjectType)
    assert isinstance(hours, GraphQLInputObjectType)
    assert set(OPTIONS[mutation]) == set(asked.fields) - OTHER_COMMAND
    assert set(HOURS) == set(hours.fields)
    group = typer.main.get_group(build()).commands["campaigns"]
    assert isinstance(group, typer.core.TyperGroup)
    command = group.commands[COMMANDS[mutation].rpartition(" ")[2]]
    known = {name for option in command.params for name in option.opts}
    assert {*OPTIONS[mutation].values(), *HOURS.values(), "--retry"} <= known


def _commands(group: typer.core.TyperGroup, prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, command in group.commands.items():
        names.append(f"{prefix}{name}")
        if isinstance(command, typer.core.TyperGroup):
            names += _commands(command, f"{prefix}{name} ")
    return names
