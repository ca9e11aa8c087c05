from datetime import UTC, datetime, timedelta

from storage.access.api_tokens import TokenStore, is_token
from storage.access.sessions import SignInLinks
from storage.database import open_pool
from tests.interfaces.cli.conftest import CommandLine

EMAIL = "ada@example.com"


def test_members_are_added_listed_and_removed(autolynx: CommandLine) -> None:
    autolynx.done("members", "add", EMAIL, "--role", "operator")
    autolynx.done("members", "add", EMAIL, "--role", "Admin")
    (member,) = autolynx.done("members", "list", "--json").json
    assert (member["email"], member["role"]) == (EMAIL, "ADMIN")
    assert member["addedBy"].startswith("cli:")
    autolynx.done("members", "add", "bo@example.com", "--role", "auditor")
    autolynx.done("members", "remove", "bo@example.com")
    assert autolynx.done("members", "list").lines[1].startswith(f"{EMAIL}\tADMIN\t")


def test_an_unknown_member_cannot_be_removed(autolynx: CommandLine) -> None:
    refusal = autolynx.refusal("members", "remove", EMAIL)
    assert refusal == f"There is no member {EMAIL}."


def test_an_invalid_e_mail_address_is_refused(autolynx: CommandLine) -> None:
    refusal = autolynx.refusal("members", "add", "ada", "--role", "admin")
    assert refusal == "'ada' is not an e-mail address."


def test_a_created_token_is_printed_alone_and_authenticates(
    autolynx: CommandLine, database: str
) -> None:
    autolynx.done("members", "add", EMAIL, "--role", "operator")
    made = autolynx.done("tokens", "create", EMAIL, "--days", "3")
    (token,) = made.lines
    assert is_token(token)
    (shown,) = autolynx.done("tokens", "list", "--json").json
    life = datetime.fromisoformat(shown["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=2) < life <= timedelta(days=3)
    with open_pool(database, name="test") as pool:
        store = TokenStore(pool)
        assert store.authenticate(token, datetime.now(UTC)) == EMAIL
        autolynx.done("tokens", "revoke", shown["id"])
        assert store.authenticate(token, datetime.now(UTC)) is None


def test_a_token_for_an_unknown_member_is_refused(autolynx: CommandLine) -> None:
    refusal = autolynx.refusal("tokens", "create", EMAIL)
    assert f"autolynx members add {EMAIL}" in refusal


def test_an_unknown_token_cannot_be_revoked(autolynx: CommandLine) -> None:
    id_ = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"
    assert autolynx.refusal("tokens", "revoke", id_) == f"There is no token {id_}."


def test_a_sign_in_link_is_printed_alone(autolynx: CommandLine, database: str) -> None:
    autolynx.done("members", "add", EMAIL, "--role", "admin")
    (link,) = autolynx.done("signin", EMAIL).lines
    address, _, token = link.partition("#token=")
    assert address == "http://127.0.0.1:8000/sign-in"
    with open_pool(database, name="test") as pool:
        assert SignInLinks(pool).use(token, datetime.now(UTC)) == EMAIL


def test_a_sign_in_link_for_an_unknown_member_is_refused(autolynx: CommandLine) -> None:
    assert "autolynx members add" in autolynx.refusal("signin", EMAIL)
