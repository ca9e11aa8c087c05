"""Sign-in by OpenID Connect: PKCE, state and nonce by Authlib, then the allowlist."""

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
from interfaces.http.errors import refusal

LOGIN_COOKIE = "autolynx_sign_in"
LOGIN_SECONDS = 600
KEY_REFRESHES_A_MINUTE = 6
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

    def use_state(self, state: str, now: datetime) -> bool:
        """Mark a state as used; return False if it was used before."""


@dataclass(frozen=True)
class OidcSettings:
    """The identity provider, and this installation as its client.

    `own_url` ends without a slash. With `trust_email`, addresses are accepted from an
    issuer that does not send `email_verified`.
    """

    issuer: str
    client_id: str
    client_secret: str
    own_url: str
    trust_email: bool = False

    @property
    def callback(self) -> str:
        return f"{self.own_url}/sign-in/oidc/callback"

    @property
    def cookie_key(self) -> str:
        """Signs the cookie that holds state and nonce; alike in every process."""
        return sha256(f"autolynx sign-in {self.client_secret}".encode()).hexdigest()


class _Refused(Exception):
    """The sign-in is refused; the message is shown to the person."""


def oidc_routes(
    settings: OidcSettings, door: Door, identities: Identities
) -> APIRouter:
    """Build the routes; the app has Starlette's session for `/sign-in/oidc`.

    The libraries are loaded here: installations without an identity provider start
    faster.
    """
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]  # noqa: PLC0415 - it brings no types; as told above
    from joserfc.errors import JoseError  # noqa: PLC0415 - as told above

    router, rate = APIRouter(), Rate(ATTEMPTS_A_MINUTE)
    client = _client(settings)
    entrance = _Entrance(door, identities, trust_email=settings.trust_email)

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
            state = request.query_params.get("state") or ""
            if await client.framework.get_state_data(request.session, state):
                await run_in_threadpool(entrance.use_state, state)
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
    from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App  # type: ignore[import-untyped]  # noqa: PLC0415 - it brings no types; see `oidc_routes`
    from joserfc.errors import BadSignatureError  # noqa: PLC0415 - see `oidc_routes`

    rate = Rate(KEY_REFRESHES_A_MINUTE)

    class Client(StarletteOAuth2App):  # type: ignore[misc]  # the library brings no types
        """Fetches the issuer's keys again when a token was signed by another one.

        Authlib does so for an unknown key id; this also does for a key that replaced
        another one under its id or without any. Forced refreshes are rate-limited.
        """

        async def fetch_jwk_set(self, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - the library's signature
            may_force = force and rate.take(settings.issuer) == 0
            return await super().fetch_jwk_set(force=may_force)

        async def parse_id_token(self, token: Any, nonce: Any, **given: Any) -> Any:
            try:
                return await super().parse_id_token(token, nonce, **given)
            except BadSignatureError:
                await self.fetch_jwk_set(force=True)
                return await super().parse_id_token(token, nonce, **given)

    issuer = settings.issuer.rstrip("/")
    oauth = OAuth()
    oauth.oauth2_client_cls = Client
    return oauth.register(
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
    trust_email: bool

    def use_state(self, state: str) -> None:
        """Let a state be used once only, whichever API process handles it."""
        if not self.identities.use_state(state, self.door.now()):
            raise _Refused(FAILED)

    def member(self, claims: Any) -> Allowlisted:
        """Find the member whom verified claims of an ID token name."""
        email = claims.get("email") if claims else None
        if not isinstance(email, str) or not self._is_verified(claims):
            raise _Refused(UNVERIFIED)
        member = self.door.member(email)
        if member is None:
            raise _Refused(NO_MEMBER)
        who = {"issuer": str(claims["iss"]), "subject": str(claims["sub"])}
        if not self.identities.same_person(email, now=self.door.now(), **who):
            raise _Refused(ANOTHER)
        return member

    def _is_verified(self, claims: Any) -> bool:
        """Accept `true` only; with `trust_email` also no claim, and the text "true".

        Some issuers send the claim as text (OpenID Connect Core 5.1 has a boolean).
        """
        claim = claims.get("email_verified")
        if isinstance(claim, bool):
            return claim
        is_harmless = claim is None or str(claim).lower() == "true"
        return self.trust_email and is_harmless


def _local(place: str) -> str:
    """Lead nowhere but to a page of ours."""
    plain = place.startswith("/") and not place.startswith("//")
    return place if plain and "\\" not in place and place.isprintable() else "/"


def _sent_back(request: Request, status: int, said: str) -> Response:
    """Tell a person on the sign-in page, and a program in our form."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/sign-in?error={quote(said)}", 303)
    return refusal(request, status, said)
