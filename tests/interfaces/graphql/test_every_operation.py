"""Every operation of the contract, sent by a GraphQL client library."""

import asyncio
from uuid import UUID

from graphql import build_schema

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from interfaces.graphql.schema import sdl
from projections.contacts import contact_log
from tests.interfaces.graphql.caller import (
    ASSISTANT_FIELDS,
    CALL,
    CAMPAIGN,
    CONTACT,
    DIALABILITY,
    ERROR,
    EVENT,
    FORECAST,
    HEALTH,
    POLICY,
    PROGRESS,
    REPORT,
    SETTINGS,
    Caller,
    calling,
)
from tests.interfaces.graphql.directory_operations import use_directory, use_register
from tests.interfaces.graphql.webhook_operations import (
    add_webhooks,
    remove_webhooks,
)
from tests.interfaces.serving import ASSISTANT, LINE, ApiClient


def test_every_operation_of_the_contract_answers(api: ApiClient) -> None:
    first, second, third = map(api.upload, (FIRST, SECOND, FIRST))

    async def all_of_them() -> set[str]:
        async with asyncio.timeout(120), calling(api) as caller:
            await use_directory(caller)
            await use_register(caller)
            endpoint = await add_webhooks(caller)
            campaign = await _campaign(caller, first, second)
            await _rehearses(caller, third)
            await _watches(caller, campaign, api)
            contact = await _reads(caller, campaign)
            await _disposes(caller, contact)
            await _removes(caller, campaign)
            await _ends(caller, campaign)
            await remove_webhooks(caller, endpoint)
            await _test_call(caller)
            return caller.asked

    assert asyncio.run(all_of_them()) == in_the_contract()


IMPORTED = f"... on ImportedCampaign {{ campaign {CAMPAIGN} report {REPORT} }}"

FIRST = "name,business_name,phone\nAda,Engines,+12025550101\nBob,,+12025550102\n,,1\n"
SECOND = "name,business_name,phone\nCleo,,+12025550103\n"


def in_the_contract() -> set[str]:
    schema = build_schema(sdl())
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {
        f"{root.name.lower()}.{name}" for root in roots if root for name in root.fields
    }


async def _campaign(caller: Caller, first: str, second: str) -> str:
    entered = await caller.ask(
        f"""mutation($id: String!) {{ importAssistant(providerAssistantId: $id) {{
          ... on Assistant {ASSISTANT_FIELDS} {ERROR} }} }}""",
        id=ASSISTANT,
    )
    listed = await caller.ask(
        "{ providerAssistants { providerAssistantId name assistant { id } } }"
    )
    assert listed[0]["assistant"] == {"id": entered["id"]}
    shown = await caller.ask(
        f"""query($id: ID!) {{ upload(id: $id) {{ id filename columns report {REPORT}
          expiresAt }} }}""",
        id=first,
    )
    assert shown["report"]["skippedCount"] == 1
    preview = await caller.ask(
        """query($upload: ID!, $assistant: ID!) {
          callPreview(uploadId: $upload, assistantId: $assistant) {
            row firstMessage systemPrompt variables unfilled unused } }""",
        upload=first,
        assistant=entered["id"],
    )
    assert preview["row"] == 2
    counted = await caller.ask(
        f"query($upload: ID!) {{ dialability(uploadId: $upload) {DIALABILITY} }}",
        upload=first,
    )
    assert (counted["contacts"], len(counted["hours"])) == (2, 72)
    draft = {"name": "", "assistantId": str(entered["id"]), "uploadId": first}
    forecast = await caller.ask(
        f"query($draft: CreateCampaignInput!) {{ forecast(draft: $draft) {FORECAST} }}",
        draft={**draft, "phoneNumberId": "line"},
    )
    assert forecast["calls"] == {"p10": 2, "p50": 2, "p90": 2}
    assert await caller.ask(
        "query { calibration { quantity occasion campaigns coverage crps naiveCrps } }"
    )
    id_ = await _created(caller, first, str(entered["id"]))
    more = await caller.ask(
        f"""mutation($id: ID!, $upload: ID!) {{
          importContacts(campaignId: $id, uploadId: $upload) {{ {IMPORTED} {ERROR} }} }}
        """,
        id=id_,
        upload=second,
    )
    assert more["campaign"]["progress"]["contacts"] == 3
    changed = await caller.ask(
        f"""mutation($id: ID!, $input: UpdateCampaignInput!) {{
          updateCampaign(id: $id, input: $input) {{
          ... on Campaign {CAMPAIGN} {ERROR} }} }}""",
        id=id_,
        input={"cap": 5, "budget": None},
    )
    assert (changed["cap"], changed["budget"]) == (5, None)
    states = [
        await _state_after(caller, name, id_)
        for name in ("startCampaign", "pauseCampaign", "resumeCampaign")
    ]
    assert states == ["QUEUED", "PAUSED", "QUEUED"]
    return id_


async def _test_call(caller: Caller) -> None:
    [assistant, *_] = await caller.ask("{ assistants { id } }")
    placed = await caller.ask(
        f"""mutation($input: TestCallInput!) {{ placeTestCall(input: $input) {{
          ... on Campaign {{ isTest phoneNumberId endsAt }} {ERROR} }} }}""",
        input={
            "assistantId": assistant["id"],
            "phoneNumberId": LINE,
            "phone": "+12025550177",
        },
    )
    assert (placed["isTest"], placed["phoneNumberId"]) == (True, LINE)


async def _created(caller: Caller, upload: str, assistant: str) -> str:
    """Create a campaign from the upload; return its id."""
    asked = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": assistant,
        "phoneNumberId": LINE,
        "budget": "100",
    }
    made = await caller.ask(
        f"""mutation($input: CreateCampaignInput!) {{ createCampaign(input: $input) {{
          {IMPORTED} {ERROR} }} }}""",
        input=asked,
    )
    return str(made["campaign"]["id"])


async def _state_after(caller: Caller, name: str, id_: str) -> str:
    data = await caller.ask(
        f"""mutation($id: ID!) {{ {name}(id: $id) {{
          ... on Campaign {CAMPAIGN} {ERROR} }} }}""",
        id=id_,
    )
    assert "state" in data, data
    return str(data["state"])


async def _reads(caller: Caller, campaign: str) -> str:
    """Ask every query; return the id of a contact."""
    ask, one = caller.ask, "query($id: ID!) { %s(id: $id) %s }"
    listed = await ask(f"{{ campaigns(first: 5) {{ totalCount nodes {CAMPAIGN} }} }}")
    assert [node["id"] for node in listed["nodes"]] == [campaign]
    whole = await ask(one % ("campaign", CAMPAIGN), id=campaign)
    contact = whole["contacts"]["edges"][0]["node"]
    assert (await ask(one % ("contact", CONTACT), id=contact["id"])) == contact
    call = await ask(one % ("call", CALL), id=contact["call"]["id"])
    assert [event["type"] for event in call["events"]] == ["call.created"]
    events = await ask(
        f"""query($id: ID) {{ events(first: 3, newestFirst: true,
          filter: {{ campaignId: $id }}) {{ edges {{ cursor node {EVENT} }}
          pageInfo {{ hasNextPage }} }} }}""",
        id=campaign,
    )
    assert events["edges"][0]["node"]["type"] == "call.created"
    audit = await ask(
        "{ audit { verifiedUpTo verifiedAt head firstProblem { message } } }"
    )
    assert audit["head"] > 0
    assistants = await ask(
        f"{{ assistants(includeArchived: true) {ASSISTANT_FIELDS} }}"
    )
    assert sorted(one["archived"] for one in assistants) == [False, True, True]
    (line,) = await ask("{ phoneNumbers { id number name status activeCalls } }")
    assert line["activeCalls"] == 0
    assert (await ask(f"{{ settings {SETTINGS} }}"))["dailyBudget"] == "12.50"
    spend = await ask(
        """{ spend { today dailyBudget campaigns { campaignId name spend budget }
          alerts { raisedAt campaignId message spend budget } } }"""
    )
    assert spend["dailyBudget"] == "12.50"
    health = await ask(f"{{ health {HEALTH} }}")
    states = {part["name"]: part["status"] for part in health["components"]}
    assert (states["database"], states["scheduler"]) == ("OK", "DOWN")
    assert health["status"] == "DOWN"
    return str(contact["id"])


async def _watches(caller: Caller, campaign: str, api: ApiClient) -> None:
    hear = caller.hear
    shown = await hear(
        f"subscription($id: ID!) {{ campaignProgress(campaignId: $id) {PROGRESS} }}",
        id=campaign,
    )
    assert shown["contacts"] == 3
    assert (await hear(f"subscription {{ campaignsProgress {PROGRESS} }}")) == shown
    assert "components" in await hear(f"subscription {{ health {HEALTH} }}")
    event = await hear(
        f"subscription($after: BigInt) {{ eventAppended(after: $after) {EVENT} }}",
        after=0,
    )
    assert event["position"] == 1
    moved = asyncio.create_task(
        hear(
            f"subscription($id: ID!) {{ contactUpdates(campaignId: $id) {CONTACT} }}",
            id=campaign,
        )
    )
    for before in range(3):  # Changes before the subscription are not sent.
        await asyncio.to_thread(claim, api, UUID(campaign), before)
        if (await asyncio.wait([moved], timeout=10))[0]:
            break
    assert {contact["status"] for contact in await moved} == {"QUEUED"}


async def _rehearses(caller: Caller, upload: str) -> None:
    """Hear the first report of a rehearsal, which then ends."""
    [assistant, *_] = await caller.ask("{ assistants { id } }")
    campaign = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": assistant["id"],
        "phoneNumberId": "line-1",
        "callingHours": {"rules": "ANY", "reason": "a test"},
    }
    report = await caller.hear(
        """subscription($input: CreateCampaignInput!) {
        rehearsal(input: $input, seed: 2, scenario: FEW_ANSWER) {
        at state contacts pending active ended spend
        result { startedAt completedAt calls answered human
          goals withheld outcomes { outcome calls } waits seconds export events
          contacts { name phone status outcome attempts } } } }""",
        input=campaign,
    )
    assert report["contacts"] == 2


def claim(api: ApiClient, campaign_id: UUID, before: int) -> None:
    """Claim the next contact, as the scheduler does."""
    with api.read_pool.connection() as connection:
        page = contact_log.page(connection, campaign_id, first=3)
    chosen = PlannedCall(campaign_id, page.nodes[before].id, 1, requeued=False)
    assert ClaimService(api.app, api.context).claim([chosen], seen=before).calls


async def _removes(caller: Caller, campaign: str) -> None:
    """Remove a contact that waits, then have it called again."""
    waiting = await caller.ask(
        """query($id: ID!) { campaign(id: $id) {
          contacts(statuses: [PENDING]) { nodes { id } } } }""",
        id=campaign,
    )
    contact = waiting["contacts"]["nodes"][0]["id"]
    presets = await caller.ask(f"query {{ retryPresets {{ name policy {POLICY} }} }}")
    assert [each["name"] for each in presets] == [
        "once",
        "gentle",
        "patient",
        "urgent",
    ]
    removed = await caller.ask(
        f"""mutation($id: ID!) {{ removeContact(contactId: $id) {{
          ... on Contact {CONTACT} {ERROR} }} }}""",
        id=contact,
    )
    assert (removed["status"], removed["withheld"]) == ("CANCELED", "REMOVED")
    returned = await caller.ask(
        f"""mutation($id: ID!) {{ callAgain(contactId: $id) {{
          ... on Contact {CONTACT} {ERROR} }} }}""",
        id=contact,
    )
    assert (returned["status"], returned["withheld"]) == ("PENDING", None)
    count = "query($redial: RedialInput!) { redialCount(redial: $redial) }"
    assert await caller.ask(count, redial={"campaignId": campaign}) == 0
    rises = await caller.ask(
        "{ smallestDifferences(contacts: 1000, shares: [25, 50], goalRate: 0.2) }"
    )
    assert all(0 < rise < 1 for rise in rises), rises
    assert len(rises) == 2
    times = await caller.ask(
        """{ retryTimetable(policy: { attempts: 1, rules: [] }, place: "US",
          callingHours: { rules: ANY, reason: "r" }) }"""
    )
    assert len(times) == 1


async def _disposes(caller: Caller, contact: str) -> None:
    """Set the disposition of a contact that waits to be called."""
    set_ = await caller.ask(
        f"""mutation($id: ID!) {{ setDisposition(contactId: $id, disposition: OTHER,
          note: "A note") {{ ... on Contact {CONTACT} {ERROR} }} }}""",
        id=contact,
    )
    assert (set_["disposition"], set_["note"]) == ("OTHER", "A note")
    read = await caller.ask(
        f"query($id: ID!) {{ contact(id: $id) {CONTACT} }}", id=contact
    )
    assert read == set_


async def _ends(caller: Caller, campaign: str) -> None:
    assert await _state_after(caller, "cancelCampaign", campaign) == "CANCELED"
