"""Sign-in by link, what a browser's session may do, and how it ends."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as open_socket

from domain.values import Role
from interfaces.auth.rates import GUESSES_A_MINUTE, RateLimit
from interfaces.auth.sign_in import ATTEMPTS_A_MINUTE
from interfaces.auth.viewer import COOKIE
from interfaces.dashboard.documents import read_documents
from storage.access.sessions import IDLE_LIFE, WHOLE_LIFE
from tests import http_requests as asking
from tests.interfaces.serving import GRAPHQL_WS, ApiClient, Socket, serve_api, utc_now

ME = next(one.id for one in read_documents() if one.name == "Me")


def sign_in(api: ApiClient, token: str) -> httpx2.Response:
    return asking.post(f"{api.url}/sign-in", json={"token": token})


def ask(
    api: ApiClient, body: dict[str, Any], session: str, **headers: str
) -> dict[str, Any]:
    answer = asking.post(
        f"{api.url}/graphql",
        json=body,
        headers={"Cookie": f"{COOKIE}={session}", **headers},
    )
    data: dict[str, Any] = answer.json()
    return data


def code(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


def test_a_link_signs_its_member_in_once(shared_api: ApiClient) -> None:
    token = shared_api.link(Role.AUDITOR)
    answer = sign_in(shared_api, token)
    assert answer.status_code == 200
    assert answer.json() == {"email": "auditor@example.com", "role": "AUDITOR"}
    data = ask(shared_api, {"documentId": ME}, answer.cookies[COOKIE])
    assert data["data"]["me"]["email"] == "auditor@example.com"
    again = sign_in(shared_api, token)
    assert (again.status_code, again.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_the_session_cookie_is_http_only_and_same_site(shared_api: ApiClient) -> None:
    cookie = sign_in(shared_api, shared_api.link()).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_over_https_the_cookie_has_the_host_prefix(database: str) -> None:
    with serve_api(database, public_url="https://lynx.example") as api:
        answer = sign_in(api, api.link())
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-autolynx=")
    assert "Secure" in cookie
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_an_expired_link_is_refused(shared_api: ApiClient) -> None:
    token = shared_api.link(now=utc_now() - timedelta(minutes=16))
    assert sign_in(shared_api, token).status_code == 403


def test_a_removed_member_s_link_is_refused(shared_api: ApiClient) -> None:
    token = shared_api.link(Role.AUDITOR)
    shared_api.members.remove("auditor@example.com", by="test")
    assert sign_in(shared_api, token).status_code == 403


def test_a_session_ends_after_its_idle_time_and_after_its_maximum_age(
    shared_api: ApiClient,
) -> None:
    session, at = shared_api.session(), utc_now()
    seen = shared_api.sessions.authenticate
    assert seen(session, at + IDLE_LIFE - timedelta(minutes=1)) is not None
    assert seen(session, at + IDLE_LIFE + timedelta(hours=1)) is not None
    assert seen(session, at + 3 * IDLE_LIFE) is None
    assert seen(session, at + WHOLE_LIFE + timedelta(minutes=1)) is None


def test_signing_out_ends_the_session_of_the_browser(shared_api: ApiClient) -> None:
    session = shared_api.session()
    cookie = {"Cookie": f"{COOKIE}={session}"}
    answer = asking.post(f"{shared_api.url}/sign-out", headers=cookie)
    assert answer.status_code == 204
    assert code(ask(shared_api, {"documentId": ME}, session)) == "UNAUTHENTICATED"


def test_only_hashes_of_links_and_sessions_are_stored(shared_api: ApiClient) -> None:
    secrets = (shared_api.link(), shared_api.session())
    with shared_api.pool.connection() as connection:
        rows = [
            connection.execute(query).fetchall()
            for query in (
                "select * from sign_in_link",
                "select * from browser_session",
            )
        ]
    assert not any(secret in repr(rows) for secret in secrets)


def test_a_session_may_not_send_its_own_query(shared_api: ApiClient) -> None:
    session = shared_api.session()
    data = ask(shared_api, {"query": "{ settings { globalCap } }"}, session)
    assert code(data) == "FORBIDDEN"
    assert data.get("data") is None
    unknown = ask(shared_api, {"documentId": "sha256:00"}, session)
    assert "unknownDocument" in unknown["errors"][0]["message"]


def test_a_session_may_not_send_its_own_query_over_a_socket(
    shared_api: ApiClient,
) -> None:
    url = f"ws{shared_api.url.removeprefix('http')}/graphql"
    cookie = {"Cookie": f"{COOKIE}={shared_api.session()}"}
    with open_socket(
        url, subprotocols=[GRAPHQL_WS], additional_headers=cookie
    ) as connection:
        connection.send(json.dumps({"type": "connection_init"}))
        socket = Socket(connection).acknowledged()
        socket.subscribe("{ me { email } }", "1")
        refused = socket.receive()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        message = {"id": "2", "type": "subscribe", "payload": {"documentId": ME}}
        connection.send(json.dumps(message))
        assert socket.next()["me"]["email"] == "admin@example.com"


def test_a_valid_cookie_is_ignored_if_the_token_is_invalid(
    shared_api: ApiClient,
) -> None:
    data = ask(
        shared_api,
        {"documentId": ME},
        shared_api.session(),
        Authorization="Bearer alx_no",
    )
    assert code(data) == "UNAUTHENTICATED"


def test_a_session_has_the_access_of_its_role(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign()
    cookie = {"Cookie": f"{COOKIE}={shared_api.session(Role.AUDITOR)}"}
    export = f"{shared_api.url}/campaigns/{id_}/export.csv"
    assert asking.get(export, headers=cookie).status_code == 200
    refused = asking.post(
        f"{shared_api.url}/uploads?filename=x.csv",
        content=b"name,business_name,phone\n",
        headers={**cookie, "Content-Type": "text/csv"},
    )
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://x.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, True),
    ],
)
def test_requests_from_pages_of_other_sites_are_refused(
    shared_api: ApiClient, headers: dict[str, str], passes: bool
) -> None:
    answer = asking.post(f"{shared_api.url}/sign-out", headers=headers)
    assert (answer.status_code == 204) is passes


def test_sockets_from_pages_of_other_sites_are_refused(shared_api: ApiClient) -> None:
    url = f"ws{shared_api.url.removeprefix('http')}/graphql"
    with (
        pytest.raises(InvalidStatus) as refused,
        open_socket(url, origin=Origin("https://evil.example")),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_our_own_page_may_open_a_socket_under_each_host_name(
    shared_api: ApiClient,
) -> None:
    host = shared_api.url.removeprefix("http://").replace("127.0.0.1", "localhost")
    with open_socket(
        f"ws://{host}/graphql",
        subprotocols=[GRAPHQL_WS],
        origin=Origin(f"http://{host}"),
    ):
        pass


def test_attempts_to_use_links_are_rate_limited(api: ApiClient) -> None:
    codes = refused_in_the_end(lambda: sign_in(api, "guess"))
    assert codes[:ATTEMPTS_A_MINUTE] == [403] * ATTEMPTS_A_MINUTE


def test_a_rate_limit_allows_a_burst_then_an_even_rate() -> None:
    at = [0.0]
    rate = RateLimit(6, clock=lambda: at[0])
    assert [rate.take("a") for _ in range(6)] == [0.0] * 6
    assert rate.take("a") == pytest.approx(10.0)
    assert rate.take("b") == 0.0
    at[0] = 10.0
    assert rate.take("a") == 0.0
    assert rate.take("a") == pytest.approx(10.0)


def test_every_response_has_the_security_headers(shared_api: ApiClient) -> None:
    for answer in (
        shared_api.get("/healthz", role=None),
        shared_api.get("/nowhere", role=None),
        sign_in(shared_api, "guess"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_wrong_tokens_are_rate_limited_per_address(api: ApiClient) -> None:
    def upload(token: str) -> httpx2.Response:
        headers = {"Authorization": token, "Content-Type": "text/csv"}
        return asking.post(f"{api.url}/uploads", content=b"", headers=headers)

    codes = refused_in_the_end(lambda: upload("Bearer alx_guess"))
    assert codes[:GUESSES_A_MINUTE] == [401] * GUESSES_A_MINUTE
    assert upload(api.header()["Authorization"]).status_code == 422
    free = {"query": "{ me { email } }"}
    data = [ask(api, free, "", **GUESS)]
    while code(data[-1]) != "BAD_REQUEST":
        data.append(ask(api, free, "", **GUESS))
    assert len(data) > GUESSES_A_MINUTE
    assert "Too many" in data[-1]["errors"][0]["message"]


def refused_in_the_end(knock: Callable[[], httpx2.Response]) -> list[int]:
    """Repeat a request until it is rate-limited; return the answers."""
    answers = [knock()]
    while answers[-1].status_code != 429:
        answers.append(knock())
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["error"]["code"] == "TOO_MANY_REQUESTS"
    return [answer.status_code for answer in answers]


GUESS = {"Authorization": "Bearer alx_guess"}
