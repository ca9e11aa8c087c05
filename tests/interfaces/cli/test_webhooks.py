"""Endpoints and deliveries of webhooks on the command line."""

from tests.interfaces.cli.conftest import CommandLine

URL = "https://crm.example.com/hook"


def test_an_endpoint_is_added_changed_and_removed(autolynx: CommandLine) -> None:
    id_, secret = autolynx.done("webhooks", "add", URL, "--type", "call.finished").lines
    assert secret.startswith("whsec_")
    (shown,) = autolynx.done("webhooks", "list", "--json").json
    assert (shown["id"], shown["types"], shown["enabled"]) == (
        id_,
        ["call.finished"],
        True,
    )
    assert secret not in str(shown)
    autolynx.done("webhooks", "change", id_, "--type", "spend.alert")
    autolynx.done("webhooks", "disable", id_)
    (shown,) = autolynx.done("webhooks", "list", "--json").json
    assert (shown["types"], shown["enabled"]) == (["spend.alert"], False)
    autolynx.done("webhooks", "enable", id_)
    (new,) = autolynx.done("webhooks", "rotate", id_).lines
    assert new.startswith("whsec_")
    assert new != secret
    assert autolynx.done("webhooks", "deliveries", id_, "--json").json == []
    autolynx.done("webhooks", "remove", id_)
    assert autolynx.done("webhooks", "list", "--json").json == []


def test_a_forbidden_url_is_refused(autolynx: CommandLine) -> None:
    refusal = autolynx.refusal("webhooks", "add", "http://169.254.169.254/")
    assert refusal == "url must not lead to a link-local or metadata address."


def test_an_unknown_endpoint_is_refused_with_the_command_that_lists_them(
    autolynx: CommandLine,
) -> None:
    id_ = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"
    assert "autolynx webhooks list" in autolynx.refusal("webhooks", "deliveries", id_)
    assert autolynx.refusal("webhooks", "resend", id_) == (
        f"There is no webhook delivery {id_}."
    )
