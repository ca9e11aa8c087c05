"""The context of one HTTP request, or of one socket with all its operations."""

from typing import Any

import strawberry
from strawberry.fastapi import BaseContext

from interfaces.auth.rates import address_of, too_often
from interfaces.auth.viewer import Credentials, Viewer
from interfaces.graphql.backend import Backend
from interfaces.graphql.documents import UNKNOWN, Documents
from interfaces.graphql.errors import bad_request, unauthenticated
from interfaces.graphql.loaders import Loaders
from projections.composition import Components


class Context(BaseContext):
    """Services, data loaders and the member who sent the operation."""

    def __init__(self, backend: Backend, documents: Documents) -> None:
        super().__init__()
        self.backend, self.documents = backend, documents
        self.loaders = Loaders(backend)
        self.connection_params: dict[str, Any] | None = None
        self.member: Viewer | None = None

    @property
    def services(self) -> Components:
        """The installation's services and stores."""
        return self.backend.services

    @property
    def viewer(self) -> Viewer:
        """The member who sent the operation. Raises UNAUTHENTICATED without one."""
        if self.member is None:
            raise unauthenticated()
        return self.member

    async def authenticate(self) -> Viewer | None:
        """Look up the member now: for each operation, and again during long ones."""
        viewer_of = self.backend.viewer_of
        self.member = await self.backend.run_reader(viewer_of, self._credentials())
        return self.member

    async def refusal(self) -> Exception | None:
        """Authenticate before an operation; return why it is refused, None if not."""
        try:
            viewer = await self.authenticate()
        except Exception as error:  # noqa: BLE001 - `PublicErrors` logs and masks it
            return error
        return None if viewer else self._too_many_guesses() or unauthenticated()

    def _too_many_guesses(self) -> Exception | None:
        """Count a wrong token; return an error if its address sent too many."""
        request = self.request
        if request is None or self._credentials().authorization is None:
            return None
        wait = self.backend.guesses.take(address_of(request))
        return bad_request(too_often(wait)) if wait > 0 else None

    def may_send(self, text: str | None) -> bool:
        """Return whether the sender may send this operation.

        With an API token every text is allowed. A browser's session may send the
        dashboard's own operations only, so that a stolen or abused cookie gives no more
        access than the dashboard has.
        """
        free = self.member is None or not self.member.in_browser
        return free or text == UNKNOWN or text in self.documents

    def _credentials(self) -> Credentials:
        params = self.connection_params or {}
        given = params.get("authorization", params.get("Authorization"))
        if isinstance(given, str) or self.request is None:
            return Credentials(given if isinstance(given, str) else None)
        header = self.request.headers.get(AUTHORIZATION)
        return Credentials(header, self.request.cookies)


AUTHORIZATION = "authorization"

Info = strawberry.Info[Context, None]
