"""Sign-in by OpenID Connect, with a real identity provider in another process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from oidc_provider_mock import (  # type: ignore[import-untyped]  # it brings no types
    _app,
    _storage,
    run_server_in_thread,
)

from domain.values import Role
from interfaces.auth.oidc import KEY_REFRESHES_A_MINUTE, LOGIN_COOKIE, _own_path
from interfaces.auth.viewer import COOKIE
from tests import http_requests as asking
from tests.interfaces.auth.test_sign_in import ME, ask
from tests.interfaces.serving import ApiClient, serve_api

EMAIL = "auditor@example.com"


@dataclass
class Entrance:
    api: ApiClient
    issuer: str

    def person(self, subject: str, **claims: Any) -> None:
        response = httpx2.put(f"{self.issuer}/users/{subject}", json=claims)
        assert response.is_success, response.text

    @contextmanager
    def browser(self) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=self.api.url, timeout=10) as browser:
            yield browser

    def answer_of(self, browser: httpx2.Client, subject: str, place: str = "/") -> str:
        """Sign in at the identity provider; return the URL of its redirect."""
        begun = browser.get("/sign-in/oidc", params={"next": place})
        assert begun.status_code == 302, begun.text
        location = begun.headers["location"]
        assert "code_challenge_method=S256" in location
        assert "nonce=" in location
        assert "state=" in location
        signed = asking.post(location, data={"sub": subject})
        assert signed.status_code == 302, signed.text
        return str(signed.headers["location"])

    def comes_in(self, subject: str, place: str = "/") -> httpx2.Response:
        with self.browser() as browser:
            url = self.answer_of(browser, subject, place)
            return browser.get(url.replace("http://127.0.0.1:8000", self.api.url))


@pytest.fixture
def entrance(database: str) -> Iterator[Entrance]:
    with entered(database) as entrance:
        yield entrance


@pytest.fixture(scope="module")
def trusting(shared_database: str) -> Iterator[Entrance]:
    with entered(shared_database, oidc_trust_email=True) as entrance:
        yield entrance


@contextmanager
def entered(database: str, **more: Any) -> Iterator[Entrance]:
    with run_server_in_thread() as provider:
        issuer = f"http://localhost:{provider.server_port}"
        given: dict[str, Any] = {
            "oidc_issuer": issuer,
            "oidc_client_id": "autolynx",
            "oidc_client_secret": "a-secret",
            **more,
        }
        with serve_api(database, **given) as api:
            api.members.add(EMAIL, Role.AUDITOR, by="test")
            yield Entrance(api, issuer)


def test_a_member_signs_in_and_is_redirected_to_the_requested_page(
    entrance: Entrance,
) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    answer = entrance.comes_in("ada", "/campaigns/1?status=ENDED")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/campaigns/1?status=ENDED"
    data = ask(entrance.api, {"documentId": ME}, answer.cookies[COOKIE])
    assert data["data"]["me"] == {"email": EMAIL, "role": "AUDITOR"}


@pytest.mark.parametrize(
    ("subject", "claims", "message"),
    [
        (
            "stranger",
            {"email": "stranger@example.com", "email_verified": True},
            "not on the allowlist",
        ),
        ("nobody", {}, "no verified"),
        ("mallory", {"email": EMAIL, "email_verified": False}, "no verified"),
        ("silent", {"email": EMAIL}, "no verified"),
        ("textual", {"email": EMAIL, "email_verified": "true"}, "no verified"),
        ("textual", {"email": EMAIL, "email_verified": "false"}, "no verified"),
        ("numeric", {"email": EMAIL, "email_verified": 1}, "no verified"),
    ],
)
def test_a_person_who_is_not_on_the_allowlist_is_refused(
    entrance: Entrance, subject: str, claims: dict[str, Any], message: str
) -> None:
    entrance.person(subject, **{"email": None, **claims})
    answer = entrance.comes_in(subject)
    assert answer.status_code == 403
    assert message in answer.json()["error"]["message"]
    assert COOKIE not in answer.cookies


def test_an_address_belongs_to_the_first_person_who_signed_in_with_it(
    entrance: Entrance,
) -> None:
    entrance.person("first", email="operator@example.com", email_verified=True)
    entrance.person("second", email="operator@example.com", email_verified=True)
    entrance.api.members.add("operator@example.com", Role.OPERATOR, by="test")
    assert entrance.comes_in("first").status_code == 303
    refused = entrance.comes_in("second")
    assert "Another person" in refused.json()["error"]["message"]
    assert entrance.comes_in("first").status_code == 303


def test_a_callback_for_another_browser_s_sign_in_is_refused(
    entrance: Entrance,
) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    with entrance.browser() as browser, entrance.browser() as other:
        url = entrance.answer_of(browser, "ada")
        url = url.replace("http://127.0.0.1:8000", entrance.api.url)
        assert other.get(url).status_code == 403
        shown = other.get(url, headers={"Accept": "text/html"})
        assert shown.headers["location"].startswith("/sign-in?error=Sign-in")
        assert browser.get(url).status_code == 303
        assert browser.get(url).status_code == 403


def test_a_used_state_is_refused_even_with_its_original_cookie(
    entrance: Entrance,
) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    with entrance.browser() as browser:
        begun = browser.get("/sign-in/oidc")
        cookie, location = browser.cookies[LOGIN_COOKIE], begun.headers["location"]
        for status in (303, 403):
            # The identity provider gives a new code for the same request each time.
            signed = asking.post(location, data={"sub": "ada"})
            url = str(signed.headers["location"])
            browser.cookies.clear()
            headers = {"Cookie": f"{LOGIN_COOKIE}={cookie}"}
            answer = browser.get(
                url.replace("http://127.0.0.1:8000", entrance.api.url), headers=headers
            )
            assert answer.status_code == status, answer.text


class Rotated:
    """The identity provider's storage with another signing key."""

    def __init__(self, kid: str) -> None:
        self.jwk = RSAKey.generate_key(private=True, parameters={"kid": kid})

    def __getattr__(self, name: str) -> Any:
        return getattr(_storage.storage, name)


@pytest.mark.parametrize("kids", [("a", "b"), ("same", "same")])
def test_a_rotated_key_of_the_issuer_is_accepted_without_a_restart(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch, kids: tuple[str, str]
) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    for kid in kids:
        monkeypatch.setattr(_app, "storage", Rotated(kid))
        assert entrance.comes_in("ada").status_code == 303


def test_forced_refreshes_of_the_issuer_s_keys_are_rate_limited(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    get = httpx2.AsyncClient.request

    async def request(client: Any, method: str, url: Any, **given: Any) -> Any:
        fetched.append(str(url))
        return await get(client, method, url, **given)

    monkeypatch.setattr(httpx2.AsyncClient, "request", request)
    entrance.person("ada", email=EMAIL, email_verified=True)
    statuses = []
    for number in range(KEY_REFRESHES_A_MINUTE + 2):
        monkeypatch.setattr(_app, "storage", Rotated(f"kid {number}"))
        statuses.append(entrance.comes_in("ada").status_code)
    keys = [url for url in fetched if url.endswith("/jwks")]
    assert len(keys) == 1 + KEY_REFRESHES_A_MINUTE
    assert statuses[-1] == 403


@pytest.mark.parametrize(
    ("verified", "status"),
    [
        ({}, 303),
        ({"email_verified": None}, 303),
        ({"email_verified": True}, 303),
        ({"email_verified": "true"}, 303),
        ({"email_verified": False}, 403),
        ({"email_verified": "false"}, 403),
        ({"email_verified": "no"}, 403),
        ({"email_verified": 0}, 403),
    ],
)
def test_trust_email_accepts_a_missing_claim_but_not_a_false_one(
    trusting: Entrance, verified: dict[str, Any], status: int
) -> None:
    trusting.person("ada", email=EMAIL, **verified)
    assert trusting.comes_in("ada").status_code == status


def test_the_sign_in_cookie_is_sent_to_the_sign_in_path_only(
    entrance: Entrance,
) -> None:
    with entrance.browser() as browser:
        begun = browser.get("/sign-in/oidc")
    cookie = begun.headers["set-cookie"].lower()
    assert cookie.startswith(LOGIN_COOKIE)
    assert "path=/sign-in/oidc" in cookie
    assert "httponly" in cookie


def test_an_unreachable_identity_provider_is_reported(database: str) -> None:
    given: dict[str, Any] = {
        "oidc_issuer": "http://127.0.0.1:9",
        "oidc_client_id": "autolynx",
        "oidc_client_secret": "a-secret",
    }
    with serve_api(database, **given) as api:
        answer = api.get("/sign-in/oidc", role=None)
    assert answer.status_code == 503
    assert "cannot be reached" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil.example", "x", ""]
)
def test_sign_in_never_redirects_to_another_site(place: str) -> None:
    assert _own_path(place) == "/"
