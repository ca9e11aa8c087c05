"""The operations about outgoing webhooks, before and after a campaign."""

from tests.interfaces.graphql.caller import ERROR, Caller

ENDPOINT = "{ id url types enabled trouble createdAt }"
DELIVERY = "{ id type createdAt attempts deliveredAt nextAttemptAt lastAnswer }"


async def add_webhooks(caller: Caller) -> str:
    add = f"""mutation($url: String!) {{ addWebhookEndpoint(url: $url) {{
      ... on NewWebhookEndpoint {{ secret endpoint {ENDPOINT} }} {ERROR} }} }}"""
    added = await caller.ask(add, url="https://crm.example.com/hook")
    assert added["secret"].startswith("whsec_")
    refused = await caller.ask(add, url="http://169.254.169.254/")
    assert (refused["code"], refused["fields"][0]["path"]) == ("INVALID", ["url"])
    assert await caller.ask(f"{{ webhookEndpoints {ENDPOINT} }}") == [added["endpoint"]]
    return str(added["endpoint"]["id"])


async def remove_webhooks(caller: Caller, endpoint: str) -> None:
    [shown] = await caller.ask(
        f"{{ webhookEndpoints {{ deliveries(first: 100) {DELIVERY} }} }}"
    )
    paused = next(d for d in shown["deliveries"] if d["type"] == "campaign.paused")
    resend = f"""mutation($id: ID!) {{ resendWebhook(deliveryId: $id) {{
      ... on WebhookDelivery {DELIVERY} {ERROR} }} }}"""
    resent = await caller.ask(resend, id=paused["id"])
    assert (resent["id"], resent["deliveredAt"]) == (paused["id"], None)
    unknown = await caller.ask(resend, id=endpoint)
    assert unknown["code"] == "NOT_FOUND"
    rotated = await caller.ask(
        f"""mutation($id: ID!) {{ rotateWebhookSecret(id: $id) {{
          ... on NewWebhookEndpoint {{ secret endpoint {ENDPOINT} }} {ERROR} }} }}""",
        id=endpoint,
    )
    assert rotated["secret"].startswith("whsec_")
    updated = await caller.ask(
        f"""mutation($id: ID!) {{
          updateWebhookEndpoint(id: $id, types: ["spend.alert"], enabled: false) {{
          ... on WebhookEndpoint {ENDPOINT} {ERROR} }} }}""",
        id=endpoint,
    )
    assert (updated["types"], updated["enabled"]) == (["spend.alert"], False)
    removed = await caller.ask(
        f"""mutation($id: ID!) {{ removeWebhookEndpoint(id: $id) {{
          ... on WebhookEndpoint {ENDPOINT} {ERROR} }} }}""",
        id=endpoint,
    )
    assert removed == updated
    assert await caller.ask(f"{{ webhookEndpoints {ENDPOINT} }}") == []
    assert await caller.ask("{ alerts(first: 5) { position kind message } }") == []
