"""Coming in by OpenID Connect: PKCE, state and nonce by Authlib, then the allowlist."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from interfaces.auth.rates import Rate, address_of
from interfaces.auth.sign_in import ATTEMPTS_A_MINUTE, NO_MEMBER, Door
from interfaces.auth.viewer import Allowlisted
from interfaces.http_errors import refusal

LOGIN_COOKIE = "autolynx_sign_in"
LOGIN_SECONDS = 600
NEXT = "autolynx_next"
FAILED = "Signing in did not work: start again from the sign-in page."
UNREACHABLE = "The identity provider cannot be reached: try again later."
UNVERIFIED = "The identity provider gives no verified e-mail address."
ANOTHER = "Somebody else has signed in by this address before: ask an admin."

log = structlog.get_logger(__name__)


class Identities(Protocol):
    def same_person(
        self, email: str, *, issuer: str, subject: str, now: datetime
    ) -> bool: ...


@dataclass(frozen=True)
class OidcSettings:
    """The identity provider, and us as it knows us; `own_url` ends without a slash."""

    issuer: str
    client_id: str
    client_secret: str
    own_url: str

    @property
    def callback(self) -> str:
        return f"{self.own_url}/sign-in/oidc/callback"

    @property
    def cookie_key(self) -> str:
        """Signs the cookie that holds state and nonce; alike in every process."""
        return sha256(f"autolynx sign-in {self.client_secret}".encode()).hexdigest()


class _Refused(Exception):
    """Who comes is not let in."""


def oidc_routes(
    settings: OidcSettings, door: Door, identities: Identities
) -> APIRouter:
    """Build the routes; the app has Starlette's session for `/sign-in/oidc`.

    Who names no identity provider does not wait for the libraries to be loaded.
    """
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]  # noqa: PLC0415 - it brings no types; as told above
    from joserfc.errors import JoseError  # noqa: PLC0415 - as told above

    router, rate = APIRouter(), Rate(ATTEMPTS_A_MINUTE)
    client = _client(settings)
    entrance = _Entrance(door, identities)

    @router.get("/sign-in/oidc")
    async def begin(request: Request, next: str = "/") -> Response:  # noqa: A002 - the page's name
        rate.admit(address_of(request))
        request.session[NEXT] = _local(next)
        try:
            answer: Response = await client.authorize_redirect(
                request, settings.callback
            )
        except Exception as error:  # noqa: BLE001 - whatever it says or does not say
            log.warning("the identity provider cannot be asked", error=str(error))
            return _sent_back(request, 503, UNREACHABLE)
        return answer

    @router.get("/sign-in/oidc/callback")
    async def callback(request: Request) -> Response:
        rate.admit(address_of(request))
        place = _local(str(request.session.pop(NEXT, "/")))
        try:
            token = await client.authorize_access_token(request)
            member = await run_in_threadpool(entrance.member, token.get("userinfo"))
            response = RedirectResponse(place, 303)
            await run_in_threadpool(door.let_in, member, response)
        except _Refused as refused:
            return _sent_back(request, 403, str(refused))
        except (OAuthError, JoseError) as error:
            log.warning("a sign-in failed", error=str(error))
            return _sent_back(request, 403, FAILED)
        except Exception as error:  # noqa: BLE001 - the network, or nonsense in an answer
            log.warning("the identity provider cannot be asked", error=str(error))
            return _sent_back(request, 503, UNREACHABLE)
        request.session.clear()
        return response

    return router


def _client(settings: OidcSettings) -> Any:
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]  # noqa: PLC0415 - it brings no types; see `oidc_routes`

    issuer = settings.issuer.rstrip("/")
    return OAuth().register(
        "oidc",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email", "code_challenge_method": "S256"},
    )


@dataclass(frozen=True)
class _Entrance:
    door: Door
    identities: Identities

    def member(self, claims: Any) -> Allowlisted:
        """Find the member whom verified claims of an ID token name."""
        email = claims.get("email") if claims else None
        if not isinstance(email, str) or claims.get("email_verified") is False:
            raise _Refused(UNVERIFIED)
        member = self.door.member(email)
        if member is None:
            raise _Refused(NO_MEMBER)
        who = {"issuer": str(claims["iss"]), "subject": str(claims["sub"])}
        if not self.identities.same_person(email, now=self.door.now(), **who):
            raise _Refused(ANOTHER)
        return member


def _local(place: str) -> str:
    """Lead nowhere but to a page of ours."""
    plain = place.startswith("/") and not place.startswith("//")
    return place if plain and "\\" not in place and place.isprintable() else "/"


def _sent_back(request: Request, status: int, said: str) -> Response:
    """Tell a person on the sign-in page, and a program in our form."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/sign-in?error={quote(said)}", 303)
    return refusal(request, status, said)
