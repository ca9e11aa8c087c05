"""What belongs to one request, or to one socket with all its operations."""

from typing import Any

import strawberry
from strawberry.fastapi import BaseContext

from interfaces.auth.viewer import Viewer
from interfaces.graphql.backend import Backend
from interfaces.graphql.errors import unauthenticated
from interfaces.graphql.loaders import Loaders


class Context(BaseContext):
    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.loaders = Loaders(backend)
        self.connection_params: dict[str, Any] | None = None
        self.member: Viewer | None = None
        self._trouble: Exception | None = None

    @property
    def viewer(self) -> Viewer:
        """The member who asks. Raises UNAUTHENTICATED for anybody else."""
        if self._trouble is not None:
            raise self._trouble
        if self.member is None:
            raise unauthenticated()
        return self.member

    async def authenticate(self) -> Viewer | None:
        """Read who asks anew: each operation, and a long one again and again."""
        viewer_of = self.backend.viewer_of
        self.member = await self.backend.look(viewer_of, self._authorization())
        return self.member

    async def begin(self) -> Viewer | None:
        """The same, before an operation; what fails is told by its fields."""
        try:
            viewer = await self.authenticate()
        except Exception as error:  # noqa: BLE001 - outside of fields it would be shown as it is
            self._trouble = error
            return None
        # Not before: other operations of the socket are under way.
        self._trouble = None
        return viewer

    def _authorization(self) -> str | None:
        params = self.connection_params or {}
        said = params.get("authorization", params.get("Authorization"))
        if isinstance(said, str):
            return said
        return None if self.request is None else self.request.headers.get(AUTHORIZATION)


AUTHORIZATION = "authorization"

Info = strawberry.Info[Context, None]
