"""GraphQL over HTTP and WebSocket; all errors have the form of GraphQL errors."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from json import JSONDecodeError
from typing import Any

from cross_web import HTTPException
from fastapi import APIRouter
from starlette.responses import JSONResponse
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
)
from strawberry.types.unset import UnsetType

from interfaces.auth.viewer import Viewer
from interfaces.graphql.backend import Backend
from interfaces.graphql.context import Context
from interfaces.graphql.documents import Documents, is_text, is_well_formed
from interfaces.graphql.push.shared_frames import encoded
from interfaces.graphql.schema import make_schema

INIT_WAIT = timedelta(seconds=10)
MOST_SUBSCRIPTIONS = 20
NO_ACCESS, OTHER_ACCESS = 4403, 4205
"""Close codes of a socket: sign in again; connect again with the changed role."""

log = logging.getLogger(__name__)


class _Socket(BaseGraphQLTransportWSHandler[Context, None]):
    """A socket that is closed when its member's access ends or changes."""

    _watch: asyncio.Task[None] | None = None
    _closed = False

    async def handle_message(self, message: Message) -> None:
        sent: object = message  # The library does not check its type.
        if isinstance(sent, dict):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("A message is an object")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._watch is None:
            self._watch = asyncio.create_task(self._watched(self.context.viewer))

    async def shutdown(self) -> None:
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        await super().shutdown()

    async def handle_task_exception(self, error: Exception) -> None:
        # Frames to a client that has disconnected, or was disconnected, are dropped.
        if not self._closed and not isinstance(error, WebSocketDisconnected):
            log.error("A socket's task failed", exc_info=error)

    async def _watched(self, member: Viewer) -> None:
        backend = self.context.backend
        with backend.access.changes(member.email) as changed:
            while True:
                changed.clear()
                viewer = await self._viewer(member)
                if viewer != member:
                    break
                with suppress(TimeoutError):
                    async with asyncio.timeout(backend.recheck_seconds):
                        await changed.wait()
        self._closed = True
        code = NO_ACCESS if viewer is None else OTHER_ACCESS
        await self.websocket.close(code=code, reason="Your access has changed")

    async def _viewer(self, member: Viewer) -> Viewer | None:
        try:
            return await self.context.authenticate()
        except Exception as error:  # noqa: BLE001 - each operation checks access itself
            log.warning(
                "The access of %s could not be checked: %s", member.email, error
            )
            return member


class _Router(GraphQLRouter[Context, None]):
    graphql_transport_ws_handler_class = _Socket
    documents: Documents

    def decode_json(self, data: str | bytes) -> object:
        try:
            message = super().decode_json(data)
        except (UnicodeDecodeError, RecursionError) as error:
            raise JSONDecodeError(type(error).__name__, "", 0) from error
        if not is_text(message) or not is_well_formed(message):
            raise JSONDecodeError("Not a GraphQL operation", "", 0)
        return self.documents.with_text(message)

    def encode_json(self, data: object) -> str | bytes:
        return encoded(data, super().encode_json)

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().run(*args, **kwargs)
        except HTTPException as refused:
            error = {"message": refused.reason, "extensions": {"code": "BAD_REQUEST"}}
            return JSONResponse({"errors": [error]}, refused.status_code)

    async def on_ws_connect(
        self, context: Context
    ) -> UnsetType | dict[str, object] | None:
        if await context.authenticate() is None:
            raise ConnectionRejectionError
        return {}


def graphql_routes(backend: Backend, documents: Documents) -> APIRouter:
    """Build the route; browser sessions may send only the given documents."""

    async def context() -> Context:
        return Context(backend, documents)

    router = _Router(
        make_schema(),
        path="/graphql",
        context_getter=context,
        graphql_ide="graphiql" if backend.development else None,
        allow_queries_via_get=False,
        subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        connection_init_wait_timeout=INIT_WAIT,
        max_subscriptions_per_connection=MOST_SUBSCRIPTIONS,
        allowed_origins=["*"],  # SameOrigin has already refused all others.
    )
    router.documents = documents
    return router
