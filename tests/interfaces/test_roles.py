"""The permissions of each role for every root field and every route."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_non_null_type,
)
from starlette.testclient import TestClient

from domain.values import Role
from interfaces.asgi import create_app
from interfaces.graphql import backend
from interfaces.graphql.schema import make_schema
from tests import http_requests as asking
from tests.fakes import FakeProvider
from tests.interfaces.serving import ApiClient, Socket, configured, utc_now

OPERATOR, AUDITOR, ADMIN = Role.OPERATOR, Role.AUDITOR, Role.ADMIN
EVERYBODY, OPERATORS = {OPERATOR, AUDITOR, ADMIN}, {OPERATOR, ADMIN}
AUDITORS, ADMINS = {AUDITOR, ADMIN}, {ADMIN}

READS = "me campaigns campaign call contact assistants phoneNumbers settings health"
WATCHES = "campaignProgress campaignsProgress contactUpdates health"
RUNS = "create start pause resume cancel update"
KEEPS = "createAssistant importAssistant updateAssistant archiveAssistant addMember"
RULES = "changeMemberRole removeMember updateSettings allowRequestsAgain"
CONTACTS = "setDisposition callAgain removeContact"
LISTS = "retryPresets retryTimetable callingRules suppressionLists suppressions"
WEBHOOKS = "addWebhookEndpoint updateWebhookEndpoint removeWebhookEndpoint"
WEBHOOKS += " rotateWebhookSecret resendWebhook"


def named(root: str, names: str, roles: set[Role]) -> dict[str, set[Role]]:
    return {f"{root}.{name}": roles for name in names.split()}


FIELDS: dict[str, set[Role]] = {
    **named("Query", f"{READS} spend", EVERYBODY),
    **named("Query", LISTS, EVERYBODY),
    **named("Query", "suppression tokens dialability smallestDifferences", EVERYBODY),
    **named("Query", "forecast calibration", EVERYBODY),
    **named("Mutation", "createToken revokeToken", EVERYBODY),
    **named("Mutation", "createSignInLink", ADMINS),
    **named("Mutation", "suppressNumber", OPERATORS),
    **named("Mutation", "liftSuppression addAssistantTools", ADMINS),
    **named("Mutation", "removeSuppressionList", ADMINS),
    **named("Subscription", WATCHES, EVERYBODY),
    **named("Query", "upload callPreview redialCount", OPERATORS),
    **named("Mutation", RUNS.replace(" ", "Campaign ") + "Campaign", OPERATORS),
    **named("Mutation", f"importContacts placeTestCall {CONTACTS}", OPERATORS),
    **named("Query", "events audit", AUDITORS),
    **named("Subscription", "eventAppended", AUDITORS),
    **named("Subscription", "rehearsal", OPERATORS),
    **named("Query", "members providerAssistants assistantDraft", ADMINS),
    **named("Query", "webhookEndpoints", ADMINS),
    **named("Query", "alerts", EVERYBODY),
    **named("Mutation", WEBHOOKS, ADMINS),
    **named("Mutation", f"{KEEPS} {RULES}", ADMINS),
}

ROUTES: dict[tuple[str, str], set[Role]] = {
    ("POST", "/uploads"): OPERATORS,
    ("POST", "/suppression-lists"): ADMINS,
    ("POST", "/audit/verify"): AUDITORS,
    ("GET", "/audit/verify"): AUDITORS,
    ("GET", "/audit/evidence.jsonl"): AUDITORS,
    ("GET", "/uploads/{upload_id}/rejects.csv"): OPERATORS,
    ("GET", "/imports/{list_id}/rejects.csv"): OPERATORS,
    ("GET", "/campaigns/{campaign_id}/export.csv"): EVERYBODY,
    ("GET", "/campaigns/{campaign_id}/contacts.jsonl"): EVERYBODY,
    ("GET", "/calls/{call_id}/recording"): EVERYBODY,
}
OPEN = {
    "/graphql",  # Checks the roles itself.
    "/webhooks/vapi",  # The provider authenticates in another way.
    "/sign-in",
    "/sign-out",
    "/healthz",
    "/livez",
    "/readyz",
    "/metrics",
}


@dataclass
class Setup:
    """An API, and each client's Authorization header, if any."""

    api: ApiClient
    tokens: dict[str, str | None]
    campaign: str

    def roles(self) -> Iterator[tuple[str, Role | None]]:
        for name in self.tokens:
            yield name, Role(name) if name in set(Role) else None

    def headers(self, name: str) -> dict[str, str]:
        token = self.tokens[name]
        return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> Iterator[None]:
    """The tests send more wrong tokens than the rate limit allows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "GUESSES_A_MINUTE", 10_000)
        yield


@pytest.fixture(scope="module")
def setup(shared_api: ApiClient) -> Setup:
    store = shared_api.token_store

    def token(email: str, **given: Any) -> str:
        return store.create(
            token_id=uuid4(),
            email=email,
            secret=secrets.token_bytes(32),
            now=utc_now(),
            **given,
        )

    shared_api.members.add("gone@example.com", ADMIN, by="test")
    tokens: dict[str, str | None] = {str(role): shared_api.token(role) for role in Role}
    tokens["nobody"] = None
    tokens["removed"] = token("gone@example.com")
    past = utc_now() - timedelta(seconds=1)
    tokens["expired"] = token("admin@example.com", expires_at=past)
    shared_api.members.remove("gone@example.com", by="test")
    return Setup(shared_api, tokens, shared_api.campaign())


def root_fields() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    schema = make_schema()._schema
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            yield root, name, field


def test_every_root_field_is_in_the_table() -> None:
    assert {f"{root.name}.{name}" for root, name, _ in root_fields()} == set(FIELDS)


def operation(
    root: GraphQLObjectType, name: str, field: GraphQLField, campaign: str
) -> str:
    """Return the shortest operation with this field."""
    needed = [
        f"{arg}: {value(kind, campaign)}"
        for arg, kind in field.args.items()
        if is_non_null_type(kind.type)
    ]
    arguments = f"({', '.join(needed)})" if needed else ""
    inner = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{root.name.lower()} {{ {name}{arguments}{inner} }}"


def value(argument: GraphQLArgument, campaign: str) -> str:
    kind = get_named_type(argument.type)
    if is_input_object_type(kind):
        fields = {
            name: value(field, campaign)
            for name, field in kind.fields.items()
            if is_non_null_type(field.type)
        }
        return "{" + ", ".join(f"{name}: {v}" for name, v in fields.items()) + "}"
    if is_enum_type(kind):
        return str(next(iter(kind.values)))
    plain = {"ID": f'"{campaign}"', "String": '"x"', "JSON": "{}", "Int": "1"}
    return plain[str(kind)]


def test_each_role_may_use_its_own_root_fields_only(setup: Setup) -> None:
    for root, name, field in root_fields():
        if root.name == "Subscription":
            continue
        query = operation(root, name, field, str(UUID(int=1)))
        for who, role in setup.roles():
            answer = asking.post(
                f"{setup.api.url}/graphql",
                json={"query": query},
                headers=setup.headers(who),
            ).json()
            wanted = expected(role, FIELDS[f"{root.name}.{name}"])
            assert refusal_in(answer) == wanted, (query, who, answer)


def expected(role: Role | None, allowed: set[Role]) -> str | None:
    if role is None:
        return "UNAUTHENTICATED"
    return None if role in allowed else "FORBIDDEN"


def refusal_in(answer: dict[str, Any]) -> str | None:
    errors = answer.get("errors") or []
    codes = {error["extensions"]["code"] for error in errors}
    codes -= {
        "BAD_REQUEST"
    }  # The ids are made up: the field was allowed, then not found.
    assert codes <= {"FORBIDDEN", "UNAUTHENTICATED"}, errors
    return codes.pop() if codes else None


def test_as_of_is_for_auditors(setup: Setup) -> None:
    asked = 'query { %s(id: "%s", asOf: "2026-11-22T12:00:00Z") { __typename } }'
    for name in ("campaign", "call"):
        for who, role in setup.roles():
            answer = asking.post(
                f"{setup.api.url}/graphql",
                json={"query": asked % (name, setup.campaign)},
                headers=setup.headers(who),
            ).json()
            assert refusal_in(answer) == expected(role, AUDITORS), (name, who)


def test_each_role_may_use_its_own_subscriptions_only(setup: Setup) -> None:
    for who, role in setup.roles():
        with setup.api.socket(setup.tokens[who]) as socket:
            if role is None:
                assert socket.closing_code() == 4403
                continue
            socket.acknowledged()
            for root, name, field in root_fields():
                if root.name != "Subscription":
                    continue
                allowed = FIELDS[f"Subscription.{name}"]
                wanted = expected(role, allowed)
                socket.subscribe(operation(root, name, field, setup.campaign), name)
                refused = first_refusal(socket, name, waits=wanted is not None)
                assert refused == wanted, (name, who)
                stop = {"id": name, "type": "complete"}
                socket.connection.send(json.dumps(stop))


def first_refusal(socket: Socket, id_: str, *, waits: bool) -> str | None:
    """Return the code of a refused subscription, None if it is not refused.

    With `waits`, a refusal must come.
    """
    socket.subscribe("{ me { email } }", f"after {id_}")
    while True:
        frame = socket.receive()
        if frame["id"] == id_:
            payload = frame.get("payload", {})  # A "complete" has none.
            errors = payload if frame["type"] == "error" else payload.get("errors")
            code = errors and errors[0]["extensions"]["code"]
            if code and code != "BAD_REQUEST":  # The arguments are made up.
                return str(code)
        elif not waits and frame["id"] == f"after {id_}":
            return None


def served_routes(api: ApiClient) -> set[tuple[str, str]]:
    app = create_app(configured(api.database), provider=FakeProvider())
    with TestClient(app):
        paths = app.openapi()["paths"]
    return {(method.upper(), path) for path in paths for method in paths[path]}


def test_every_route_is_in_the_table(setup: Setup) -> None:
    guarded = {one for one in served_routes(setup.api) if one[1] not in OPEN}
    assert guarded == set(ROUTES)


def test_each_role_may_use_its_own_routes_only(setup: Setup) -> None:
    for (method, path), allowed in ROUTES.items():
        url = setup.api.url + path.partition("{")[0]
        url += str(UUID(int=1)) + path.partition("}")[2] if "{" in path else ""
        for who, role in setup.roles():
            answer = asking.request(
                method, url, headers={**setup.headers(who), "Content-Type": "text/csv"}
            )
            wanted = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403}
            refused = expected(role, allowed)
            if refused:
                assert answer.status_code == wanted[refused], (path, who)
                assert answer.json()["error"]["code"] == refused
            else:
                assert answer.status_code in {200, 202, 400, 404, 422}, (path, who)
