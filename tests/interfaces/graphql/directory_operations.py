"""The operations on assistants, members, settings, tokens and suppressed numbers."""

from tests.interfaces.graphql.caller import (
    ASSISTANT_FIELDS,
    ERROR,
    MEMBER,
    SETTINGS,
    Caller,
)

ADMIN, NEW = "admin@example.com", "new@example.com"


async def use_directory(caller: Caller) -> None:
    """Change assistants, members and settings."""
    ask = caller.ask
    assert (await ask("{ me { email role } }"))["role"] == "ADMIN"
    made = await ask(
        f"""mutation($input: CreateAssistantInput!) {{ createAssistant(input: $input)
          {{ ... on Assistant {ASSISTANT_FIELDS} {ERROR} }} }}""",
        input={"name": "Ann", "config": {"firstMessage": "Hi", "server": {"url": "x"}}},
    )
    changed = await ask(
        f"""mutation($id: ID!, $input: UpdateAssistantInput!) {{
          updateAssistant(id: $id, input: $input) {{
          ... on Assistant {{ id name config warnings }} {ERROR} }} }}""",
        id=made["id"],
        input={"name": "Bea", "config": {"firstMessage": "Hello"}},
    )
    assert (changed["name"], changed["config"]["firstMessage"]) == ("Bea", "Hello")
    assert "gets no messages" in changed["warnings"][0]
    await _with_fields(caller, made["id"])
    await _with_tools(caller)
    gone = await ask(
        f"""mutation($id: ID!) {{ archiveAssistant(id: $id) {{
          ... on Assistant {{ archived }} {ERROR} }} }}""",
        id=made["id"],
    )
    assert gone == {"archived": True}
    await _members(caller)
    changed = await ask(
        f"""mutation($input: SettingsInput!) {{ updateSettings(input: $input) {{
          ... on Settings {SETTINGS} {ERROR} }} }}""",
        input={"dailyBudget": "12.50", "globalCap": None},
    )
    assert (changed["dailyBudget"], changed["globalCap"]) == ("12.50", 10)
    refused = await ask(
        f"""mutation {{ updateSettings(input: {{ globalCap: 0 }}) {{
          __typename {ERROR} }} }}"""
    )
    assert refused["fields"] == [
        {"path": ["globalCap"], "message": "must be from 1 to 10,000"}
    ]
    assert refused["message"] == "globalCap must be from 1 to 10,000."
    allow = f"allowRequestsAgain {{ ... on Settings {SETTINGS} {ERROR} }}"
    assert (await ask(f"mutation {{ {allow} }}"))["defaultCap"] == 8


async def _members(caller: Caller) -> None:
    mutation = (
        "mutation($email: String!, $role: Role!) { %s(email: $email, role: $role) { "
    )
    mutation += f"... on Member {MEMBER} {ERROR} }} }}"
    new = {"email": "New@example.com ", "role": "OPERATOR"}
    added = await caller.ask(mutation % "addMember", **new)
    assert (added["email"], added["addedBy"]) == (
        "new@example.com",
        "admin@example.com",
    )
    changed = await caller.ask(mutation % "changeMemberRole", email=NEW, role="AUDITOR")
    assert changed["role"] == "AUDITOR"
    members = await caller.ask(f"{{ members {MEMBER} }}")
    assert {one["email"] for one in members} >= {ADMIN, NEW}
    await use_tokens(caller)
    remove = f"""mutation($email: String!) {{ removeMember(email: $email) {{
      ... on Member {MEMBER} {ERROR} }} }}"""
    removed = await caller.ask(remove, email=NEW)
    assert removed["role"] == "AUDITOR"
    assert (await caller.ask(remove, email=NEW))["code"] == "NOT_FOUND"
    last = await caller.ask(remove, email=ADMIN)
    assert (last["code"], "last admin" in last["message"]) == ("CONFLICT", True)


TOKEN = "{ id email createdAt expiresAt lastUsedAt }"


async def use_tokens(caller: Caller) -> None:
    link = await caller.ask(
        f"""mutation($email: String!) {{ createSignInLink(email: $email) {{
          ... on SignInLink {{ url expiresAt }} {ERROR} }} }}""",
        email=NEW,
    )
    assert "/sign-in#token=" in link["url"]
    created = await caller.ask(
        f"""mutation {{ createToken(days: 3) {{
          ... on NewToken {{ token {TOKEN} secret }} {ERROR} }} }}"""
    )
    assert created["secret"].startswith("alx_")
    assert created["token"] in await caller.ask(f"{{ tokens {TOKEN} }}")
    revoke = f"""mutation($id: ID!) {{ revokeToken(id: $id) {{
      ... on ApiToken {TOKEN} {ERROR} }} }}"""
    revoked = await caller.ask(revoke, id=created["token"]["id"])
    assert revoked == created["token"]
    assert created["token"] not in await caller.ask(f"{{ tokens {TOKEN} }}")


SUPPRESSION = "{ id phone source reason addedAt addedBy callId }"


async def use_register(caller: Caller) -> None:
    """Suppress a number and lift it, and ask for the lists and rules."""
    phone = "+12025550199"
    added = await caller.ask(
        f"""mutation($phone: String!) {{ suppressNumber(phone: $phone, reason: "r") {{
          ... on Suppression {SUPPRESSION} {ERROR} }} }}""",
        phone=phone,
    )
    assert (added["phone"], added["source"], added["reason"]) == (phone, "API", "r")
    listed = await caller.ask(
        f"""{{ suppressions(first: 5, search: "0199") {{ nodes {SUPPRESSION} totalCount
          pageInfo {{ hasNextPage endCursor }} }} }}"""
    )
    assert (listed["nodes"], listed["totalCount"]) == ([added], 1)
    found = await caller.ask(
        f"""query($phone: String!) {{ suppression(phone: $phone) {{
          suppression {SUPPRESSION} }} }}""",
        phone="(202) 555-0199",
    )
    assert found == {"suppression": added}
    lifted = await caller.ask(
        f"""mutation($id: ID!) {{ liftSuppression(id: $id, reason: "a mistake") {{
          ... on Suppression {SUPPRESSION} {ERROR} }} }}""",
        id=added["id"],
    )
    assert lifted == added
    assert await caller.ask("{ suppressionLists { id name } }") == []
    missing = await caller.ask(
        f"""mutation($id: ID!) {{ removeSuppressionList(id: $id) {{
          ... on SuppressionList {{ id }} {ERROR} }} }}""",
        id=added["id"],
    )
    assert missing["code"] == "NOT_FOUND"
    assert (await caller.ask("{ callingRules { version rules { id } } }"))["rules"]


FORM = "{ firstMessage prompt model voice voicemailMessage longestCallSeconds }"


async def _with_fields(caller: Caller, id_: str) -> None:
    """Write fields into a draft, and into an assistant that has others already."""
    draft = f"""query($config: JSON, $form: AssistantFormInput) {{
      assistantDraft(config: $config, form: $form) {{ config form {FORM} }} }}"""
    started = await caller.ask(draft)
    assert started["form"]["prompt"]
    drafted = await caller.ask(
        draft,
        config={"x": 1, "id": "theirs", "model": {"tools": []}},
        form={"model": "openai/gpt-4o", "prompt": None},
    )
    model = {"provider": "openai", "model": "gpt-4o", "tools": []}
    assert drafted["config"] == {"x": 1, "model": model}
    assert drafted["form"]["model"] == "openai/gpt-4o"
    changed = await caller.ask(
        f"""mutation($id: ID!, $input: UpdateAssistantInput!) {{
          updateAssistant(id: $id, input: $input) {{
          ... on Assistant {{ config form {FORM} }} {ERROR} }} }}""",
        id=id_,
        input={"form": {"voicemailMessage": "Call back.", "longestCallSeconds": 90}},
    )
    assert changed["form"]["firstMessage"] == "Hello"
    assert changed["form"]["longestCallSeconds"] == 90
    refused = await caller.ask(
        f"""mutation($id: ID!, $input: UpdateAssistantInput!) {{
          updateAssistant(id: $id, input: $input) {{ __typename {ERROR} }} }}""",
        id=id_,
        input={"form": {"longestCallSeconds": 1}},
    )
    assert refused["fields"] == [
        {"path": ["longestCallSeconds"], "message": "must be 10 to 43,200 seconds"}
    ]


async def _with_tools(caller: Caller) -> None:
    """Add the tools to an assistant with a model."""
    made = await caller.ask(
        f"""mutation($input: CreateAssistantInput!) {{ createAssistant(input: $input)
          {{ ... on Assistant {{ id hasTools }} {ERROR} }} }}""",
        input={"name": "Tess", "config": {"model": {"provider": "openai"}}},
    )
    assert made["hasTools"] is False
    added = await caller.ask(
        f"""mutation($id: ID!) {{ addAssistantTools(id: $id) {{
          ... on Assistant {{ id hasTools }} {ERROR} }} }}""",
        id=made["id"],
    )
    assert added == made | {"hasTools": True}
    await caller.ask(
        f"""mutation($id: ID!) {{ archiveAssistant(id: $id) {{
          ... on Assistant {{ archived }} {ERROR} }} }}""",
        id=made["id"],
    )
