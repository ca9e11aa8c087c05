"""Coming in by OpenID Connect, at an identity provider that is not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from oidc_provider_mock import run_server_in_thread  # type: ignore[import-untyped]  # it brings no types

from domain.values import Role
from interfaces.auth.oidc import LOGIN_COOKIE, _local
from interfaces.auth.viewer import COOKIE
from tests import http_requests as asking
from tests.interfaces.auth.test_sign_in import ME, ask
from tests.interfaces.serving import Desk, opened_desk

EMAIL = "auditor@example.com"


@dataclass
class Entrance:
    desk: Desk
    issuer: str

    def person(self, subject: str, **claims: Any) -> None:
        told = httpx2.put(f"{self.issuer}/users/{subject}", json=claims)
        assert told.is_success, told.text

    @contextmanager
    def browser(self) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=self.desk.url, timeout=10) as browser:
            yield browser

    def answer_of(self, browser: httpx2.Client, subject: str, place: str = "/") -> str:
        """Sign in at the provider; return where it sends the browser."""
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
            return browser.get(url.replace("http://127.0.0.1:8000", self.desk.url))


@pytest.fixture(scope="module")
def entrance(shared_database: str) -> Iterator[Entrance]:
    with run_server_in_thread() as provider:
        issuer = f"http://localhost:{provider.server_port}"
        given: dict[str, Any] = {
            "oidc_issuer": issuer,
            "oidc_client_id": "autolynx",
            "oidc_client_secret": "a-secret",
        }
        with opened_desk(shared_database, **given) as desk:
            desk.members.add(EMAIL, Role.AUDITOR, by="test")
            yield Entrance(desk, issuer)


def test_a_member_comes_in_and_lands_where_he_wanted(entrance: Entrance) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    answer = entrance.comes_in("ada", "/campaigns/1?status=ENDED")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/campaigns/1?status=ENDED"
    told = ask(entrance.desk, {"documentId": ME}, answer.cookies[COOKIE])
    assert told["data"]["me"] == {"email": EMAIL, "role": "AUDITOR"}


@pytest.mark.parametrize(
    ("subject", "claims", "said"),
    [
        ("stranger", {"email": "stranger@example.com"}, "not on the allowlist"),
        ("nobody", {}, "no verified"),
        ("mallory", {"email": EMAIL, "email_verified": False}, "no verified"),
    ],
)
def test_who_is_not_on_the_allowlist_stays_outside(
    entrance: Entrance, subject: str, claims: dict[str, Any], said: str
) -> None:
    entrance.person(subject, **{"email": None, **claims})
    answer = entrance.comes_in(subject)
    assert answer.status_code == 403
    assert said in answer.json()["error"]["message"]
    assert COOKIE not in answer.cookies


def test_an_address_stays_with_whom_it_was_given_to_first(entrance: Entrance) -> None:
    entrance.person("first", email="operator@example.com", email_verified=True)
    entrance.person("second", email="operator@example.com", email_verified=True)
    entrance.desk.members.add("operator@example.com", Role.OPERATOR, by="test")
    assert entrance.comes_in("first").status_code == 303
    refused = entrance.comes_in("second")
    assert "Somebody else" in refused.json()["error"]["message"]
    assert entrance.comes_in("first").status_code == 303


def test_an_answer_that_another_browser_asked_for_is_refused(
    entrance: Entrance,
) -> None:
    entrance.person("ada", email=EMAIL, email_verified=True)
    with entrance.browser() as browser, entrance.browser() as other:
        url = entrance.answer_of(browser, "ada")
        url = url.replace("http://127.0.0.1:8000", entrance.desk.url)
        assert other.get(url).status_code == 403
        shown = other.get(url, headers={"Accept": "text/html"})
        assert shown.headers["location"].startswith("/sign-in?error=Signing")
        assert browser.get(url).status_code == 303
        assert browser.get(url).status_code == 403


def test_the_cookie_of_the_way_in_is_for_the_way_in(entrance: Entrance) -> None:
    with entrance.browser() as browser:
        begun = browser.get("/sign-in/oidc")
    said = begun.headers["set-cookie"].lower()
    assert said.startswith(LOGIN_COOKIE)
    assert "path=/sign-in/oidc" in said
    assert "httponly" in said


def test_a_provider_that_is_down_is_said_so(database: str) -> None:
    given: dict[str, Any] = {
        "oidc_issuer": "http://127.0.0.1:9",
        "oidc_client_id": "autolynx",
        "oidc_client_secret": "a-secret",
    }
    with opened_desk(database, **given) as desk:
        answer = desk.get("/sign-in/oidc", role=None)
    assert answer.status_code == 503
    assert "cannot be reached" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil.example", "x", ""]
)
def test_nobody_is_led_to_another_site(place: str) -> None:
    assert _local(place) == "/"
