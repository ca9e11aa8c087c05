"""Everything that a mutation does can be done on the command line."""

import typer

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


def _commands(group: typer.core.TyperGroup, prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, command in group.commands.items():
        names.append(f"{prefix}{name}")
        if isinstance(command, typer.core.TyperGroup):
            names += _commands(command, f"{prefix}{name} ")
    return names
