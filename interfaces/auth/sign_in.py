"""Sign-in by a one-time link, and sign-out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from interfaces.auth.rates import RateLimit, address_of
from interfaces.auth.viewer import Allowlisted, cookie_name
from storage.access.sessions import LINK_LIFE

ATTEMPTS_A_MINUTE = 30
COOKIE_LIFE_SECONDS = 7 * 86_400
NO_LINK = (
    f"The link was already used or is older than {LINK_LIFE // timedelta(minutes=1)}"
    " minutes: ask for a new one."
)
NO_MEMBER = "This address is not on the allowlist: ask an admin to add it."


class Links(Protocol):
    """Stores one-time sign-in links."""

    def use(self, text: str, now: datetime) -> str | None:
        """Mark a link as used; return its e-mail address, None if it is not valid."""


class Sessions(Protocol):
    """Stores sessions of browsers."""

    def open(self, *, email: str, secret: bytes, now: datetime) -> str:
        """Store a session; return the text for its cookie. `secret` has 32 bytes."""

    def end(self, text: str, now: datetime) -> None:
        """End the session with this cookie text, if there is one."""


@dataclass(frozen=True)
class BrowserSessions:
    """Begins and ends sessions of browsers; `secure` if these use https."""

    sessions: Sessions
    member: Callable[[str], Allowlisted | None]
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    secure: bool

    @property
    def cookie(self) -> str:
        """Name of the session's cookie."""
        return cookie_name(secure=self.secure)

    def begin(self, member: Allowlisted, response: Response) -> None:
        """Open a session and set its cookie in the response."""
        session = self.sessions.open(
            email=member.email, secret=self.random_bytes(32), now=self.now()
        )
        response.set_cookie(
            self.cookie,
            session,
            max_age=COOKIE_LIFE_SECONDS,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def end(self, request: Request, response: Response) -> None:
        """End the request's session and delete its cookie."""
        session = request.cookies.get(self.cookie)
        if session is not None:
            self.sessions.end(session, self.now())
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


class LinkUsed(BaseModel):
    """The secret of the link, which follows its #."""

    token: str = Field(max_length=200)


def sign_in_routes(sessions: BrowserSessions, links: Links) -> APIRouter:
    """Build the routes; the page at GET /sign-in is the dashboard's."""
    router = APIRouter()
    rate = RateLimit(ATTEMPTS_A_MINUTE)

    @router.post("/sign-in")
    def sign_in(used: LinkUsed, request: Request) -> Response:
        rate.require(address_of(request))
        email = links.use(used.token, sessions.now())
        if email is None:
            raise HTTPException(403, NO_LINK)
        member = sessions.member(email)
        if member is None:
            raise HTTPException(403, NO_MEMBER)
        response = JSONResponse({"email": member.email, "role": member.role})
        sessions.begin(member, response)
        return response

    @router.post("/sign-out", status_code=204)
    def sign_out(request: Request) -> Response:
        response = Response(status_code=204)
        sessions.end(request, response)
        return response

    return router
