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

from interfaces.auth.rates import RateLimit, address_of
from interfaces.auth.sign_in import ATTEMPTS_A_MINUTE, NO_MEMBER, BrowserSessions
from interfaces.auth.viewer import Allowlisted
from interfaces.http.errors import refusal

LOGIN_COOKIE = "autolynx_sign_in"
LOGIN_SECONDS = 600
KEY_REFRESHES_A_MINUTE = 6
NEXT = "autolynx_next"
FAILED = "Sign-in failed: start again from the sign-in page."
UNREACHABLE = "The identity provider cannot be reached: try again later."
UNVERIFIED = "The identity provider sent no verified e-mail address."
ANOTHER = "Another person has signed in with this address before: ask an admin."

log = structlog.get_logger(__name__)


class Identities(Protocol):
    """Stores which person an e-mail address belongs to, and which states were used."""

    def same_person(
        self, email: str, *, issuer: str, subject: str, now: datetime
    ) -> bool:
        """Return False if another person has signed in with this address before.

        The first person who signs in with an address is stored as its owner. A person
        is identified by `issuer` and `subject` (OpenID Connect Core 1.0, section 5.7).
        """

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
        """URL to which the identity provider sends the browser back."""
        return f"{self.own_url}/sign-in/oidc/callback"

    @property
    def cookie_key(self) -> str:
        """Key that signs the cookie with state and nonce; the same in every process."""
        return sha256(f"autolynx sign-in {self.client_secret}".encode()).hexdigest()


class _Refused(Exception):
    """The sign-in is refused; the message is shown to the person."""


def oidc_routes(
    settings: OidcSettings, sessions: BrowserSessions, identities: Identities
) -> APIRouter:
    """Build the routes; the app has Starlette's session for `/sign-in/oidc`.

    Authlib is loaded here: installations without an identity provider start faster.
    """
    router, rate = APIRouter(), RateLimit(ATTEMPTS_A_MINUTE)
    client = _client(settings)
    members = _Members(sessions, identities, trust_email=settings.trust_email)

    @router.get("/sign-in/oidc")
    async def begin(request: Request, next: str = "/") -> Response:  # noqa: A002 - the page's name
        rate.require(address_of(request))
        request.session[NEXT] = _own_path(next)
        try:
            redirect: Response = await client.authorize_redirect(
                request, settings.callback
            )
        except Exception as error:  # noqa: BLE001 - the network, or an invalid answer
            return _unreachable(request, error)
        return redirect

    @router.get("/sign-in/oidc/callback")
    async def callback(request: Request) -> Response:
        rate.require(address_of(request))
        target = _own_path(str(request.session.pop(NEXT, "/")))
        try:
            member = await _member_of(request, client, members)
            response = RedirectResponse(target, 303)
            await run_in_threadpool(sessions.begin, member, response)
        except Exception as error:  # noqa: BLE001 - see `_refusal_of`
            return _refusal_of(request, error)
        request.session.clear()
        return response

    return router


async def _member_of(request: Request, client: Any, members: "_Members") -> Allowlisted:
    """Exchange the code of a callback for the ID token; return the token's member."""
    state = request.query_params.get("state") or ""
    if await client.framework.get_state_data(request.session, state):
        await run_in_threadpool(members.use_state, state)
    token = await client.authorize_access_token(request)
    return await run_in_threadpool(members.member, token.get("userinfo"))


def _refusal_of(request: Request, error: Exception) -> Response:
    """Answer a callback that failed; log what the person is not shown.

    Every error that is neither ours nor the protocol's counts as a failure to reach the
    identity provider: the network, or an answer that cannot be parsed.
    """
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; see `oidc_routes`
    from joserfc.errors import JoseError  # noqa: PLC0415 - see `oidc_routes`

    if isinstance(error, _Refused):
        return _failure(request, 403, str(error))
    if isinstance(error, OAuthError | JoseError):
        log.warning("a sign-in failed", error=str(error))
        return _failure(request, 403, FAILED)
    return _unreachable(request, error)


def _unreachable(request: Request, error: Exception) -> Response:
    log.warning("the identity provider cannot be reached", error=str(error))
    return _failure(request, 503, UNREACHABLE)


def _client(settings: OidcSettings) -> Any:
    from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; see `oidc_routes`
    from joserfc.errors import BadSignatureError  # noqa: PLC0415 - see `oidc_routes`

    rate = RateLimit(KEY_REFRESHES_A_MINUTE)

    class Client(StarletteOAuth2App):  # type: ignore[misc]  # the library has no types
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
class _Members:
    sessions: BrowserSessions
    identities: Identities
    trust_email: bool

    def use_state(self, state: str) -> None:
        """Mark a state as used. Raises _Refused if any process used it before."""
        if not self.identities.use_state(state, self.sessions.now()):
            raise _Refused(FAILED)

    def member(self, claims: Any) -> Allowlisted:
        """Return the member that the verified claims of an ID token belong to."""
        email = claims.get("email") if claims else None
        if not isinstance(email, str) or not self._is_verified(claims):
            raise _Refused(UNVERIFIED)
        member = self.sessions.member(email)
        if member is None:
            raise _Refused(NO_MEMBER)
        who = {"issuer": str(claims["iss"]), "subject": str(claims["sub"])}
        if not self.identities.same_person(email, now=self.sessions.now(), **who):
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


def _own_path(path: str) -> str:
    """Return the path of a page of ours, `/` for anything else (an open redirect)."""
    plain = path.startswith("/") and not path.startswith("//")
    return path if plain and "\\" not in path and path.isprintable() else "/"


def _failure(request: Request, status: int, message: str) -> Response:
    """Redirect a browser to the sign-in page; answer other clients with an error."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/sign-in?error={quote(message)}", 303)
    return refusal(request, status, message)
