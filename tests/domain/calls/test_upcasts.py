"""Events that release 1 stored are read by a table that never changes."""

from typing import Any

import orjson
import pytest

from domain.calls.call import Call
from domain.calls.upcasts import ACCOUNT_REASONS_IN_RELEASE_1
from domain.values import ContactStatus, Refusal, RefusalKind, RefusalScope
from tests.golden.catalogue import FOLDER, event_of

QUEUED, PENDING, ENDED = "QUEUED", "PENDING", "ENDED"
PLATFORM = Refusal(RefusalKind.PLATFORM, None, "release-1")
ACCOUNT = Refusal(RefusalKind.ACCOUNT, RefusalScope.ACCOUNT, "release-1")

ACCOUNT_REASONS = [
    "assistant-not-found",
    "assistant-not-valid",
    "call-start-error-neither-assistant-nor-server-set",
    "call.start.assistant-version-error-validation",
    "call.start.error-enterprise-feature-not-available-recording-consent",
    "call.start.error-fraud-check-failed",
    "call.start.error-get-assistant",
    "call.start.error-get-phone-number",
    "call.start.error-subscription-frozen",
    "call.start.error-subscription-insufficient-credits",
    "call.start.error-subscription-upgrade-failed",
    "call.start.error-subscription-wallet-does-not-exist",
    "call.start.error-vapi-number-outbound-daily-limit",
    "call.start.squad-version-error-validation",
]


def stored_by_release_1(**own: Any) -> Call.Ended:
    file = FOLDER / "call.ended.release-1.json"
    state: dict[str, Any] = orjson.loads(file.read_bytes())
    event = event_of("call.ended", state | own)
    assert isinstance(event, Call.Ended)
    return event


def refusal(reason: str | None, was: str = QUEUED, standing: str = PENDING) -> Any:
    return stored_by_release_1(reason=reason, was=was, standing=standing).refusal


def test_the_table_of_release_1_is_unchanged() -> None:
    assert sorted(ACCOUNT_REASONS_IN_RELEASE_1) == ACCOUNT_REASONS


@pytest.mark.parametrize("reason", ACCOUNT_REASONS)
def test_trouble_with_the_account_is_read_as_such(reason: str) -> None:
    assert refusal(reason) == refusal(reason, standing=ENDED) == ACCOUNT


@pytest.mark.parametrize("end", ["get-transport", "never-heard-of", ""])
def test_any_other_start_error_is_read_as_a_fault(end: str) -> None:
    assert refusal(f"call.start.error-{end}") == PLATFORM


@pytest.mark.parametrize("reason", ["customer-busy", "sip-outbound-x", "", None])
def test_another_end_is_no_refusal(reason: str | None) -> None:
    assert refusal(reason, standing=ENDED) is None


@pytest.mark.parametrize("reason", ["call.start.error-x", *ACCOUNT_REASONS[:2]])
def test_an_end_that_was_repeated_or_answered_is_no_refusal(reason: str) -> None:
    assert refusal(reason, was=ENDED, standing=ENDED) is None
    assert refusal(reason, was="IN_PROGRESS", standing=ENDED) is None


def test_fields_that_release_1_did_not_store_are_empty() -> None:
    event = stored_by_release_1()
    assert (event.retry_at, event.words, event.earlier_refusals) == (None, None, 0)
    assert event.standing is ContactStatus.TIMEOUT, "and what it stored is unchanged"
