"""GraphQL over HTTP and WebSocket, always answering in GraphQL's own form."""

from datetime import timedelta
from typing import Any

from cross_web import HTTPException
from fastapi import APIRouter
from starlette.responses import JSONResponse
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from interfaces.graphql.backend import Backend
from interfaces.graphql.context import Context
from interfaces.graphql.documents import Documents
from interfaces.graphql.schema import make_schema

INIT_WAIT = timedelta(seconds=10)
MOST_SUBSCRIPTIONS = 20


class _Router(GraphQLRouter[Context, None]):
    documents: Documents

    def decode_json(self, data: str | bytes) -> object:
        return self.documents.filled(super().decode_json(data))

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
    """Build the routes; a browser's session may send these documents only."""

    def context() -> Context:
        return Context(backend, documents)

    router = _Router(
        make_schema(),
        path="/graphql",
        context_getter=context,
        graphql_ide=None,
        allow_queries_via_get=False,
        subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        connection_init_wait_timeout=INIT_WAIT,
        max_subscriptions_per_connection=MOST_SUBSCRIPTIONS,
        allowed_origins=["*"],  # SameOrigin has refused all others by now.
    )
    router.documents = documents
    return router
