"""An application with the webhook route only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from interfaces.webhooks.authentication import Authenticate, SharedSecret
from interfaces.webhooks.inbox import RecordMessage, RecordMessages, open_inbox
from interfaces.webhooks.vapi import Webhooks, WebhooksFirst, read_body
from provider.vapi.messages.reading import read_message
from provider.vapi.messages.tool_calls import tool_response

PATH = "/webhooks/vapi"
SECRET = {"X-Vapi-Secret": "s"}


def webhooks(
    record_message: RecordMessage,
    record_messages: RecordMessages,
    secret: str | None = "s",
    judge: Authenticate | None = None,
    **limits: Any,
) -> ASGIApp:
    """Build it; `judge` replaces the authentication by `secret`."""
    judge = judge or (SharedSecret(secret) if secret else None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with open_inbox(
            partial(read_body, read_message), record_message, record_messages
        ) as inbox:
            app.state.webhooks = Webhooks(
                judge, inbox, tool_response=tool_response, **limits
            )
            yield

    app = Starlette(lifespan=lifespan)
    return WebhooksFirst(app, lambda: app.state.webhooks)
