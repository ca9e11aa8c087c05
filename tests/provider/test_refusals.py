"""The classification of ended reasons and answers as refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values import RefusalKind, RefusalScope
from provider.vapi.refusals import refusal_of_reason
from provider.vapi.requests.request_outcomes import read_outcome
from tests.provider.test_request_outcomes import NOW

START = "call.start.error-"
SIP = "call.in-progress.error-providerfault-outbound-sip"

TABLE = {
    "capacity": """
        call.start.error-subscription-concurrency-limit-reached
        call.start.error-another-concurrency-limit
    """,
    "account": """
        call.start.error-fraud-check-failed
        call.start.error-subscription-frozen
        call.start.error-subscription-insufficient-credits
        call.start.error-subscription-upgrade-failed
        call.start.error-subscription-wallet-does-not-exist
        license-check-failed
    """,
    "assistant": """
        assistant-not-found
        assistant-not-valid
        assistant-request-failed
        assistant-request-returned-error
        assistant-request-returned-forwarding-phone-number
        assistant-request-returned-invalid-assistant
        assistant-request-returned-no-assistant
        assistant-request-returned-unspeakable-error
        call-start-error-neither-assistant-nor-server-set
        call.start.assistant-version-error-validation
        call.start.error-enterprise-feature-not-available-recording-consent
        call.start.error-get-assistant
        call.start.error-get-resources-validation
        call.start.squad-version-error-validation
    """,
    "line": f"""
        call.start.error-get-phone-number
        call.start.error-get-transport
        call.start.error-vapi-number-outbound-daily-limit
        {SIP}-407-proxy-authentication-required
    """,
    "contact": """
        call.start.error-get-customer
        call.start.error-vapi-number-international
        sip-outbound-unallocated-number
        twilio-reported-customer-misdialed
    """,
    "platform": """
        call.start.error-vapifault-database-error
        call.start.error-vapifault-get-org
        call.start.error-vapifault-get-subscription
        call.start.error-vapifault-worker-not-available
        call.start.error-that-nobody-has-heard-of
    """,
    "none": f"""
        customer-busy
        customer-did-not-answer
        customer-ended-call
        voicemail
        scheduled-call-deleted
        manually-canceled
        twilio-failed-to-connect-call
        vonage-rejected
        worker-shutdown
        pipeline-error-openai-401-unauthorized
        pipeline-error-eleven-labs-blocked-concurrent-requests-and-requested-upgrade
        call.in-progress.error-vapifault-transport-never-connected
        call.in-progress.error-sip-outbound-call-failed-to-connect
        {SIP}-403-forbidden
        {SIP}-408-request-timeout
        {SIP}-480-temporarily-unavailable
        {SIP}-503-service-unavailable
    """,
}
KINDS = {
    "capacity": (RefusalKind.CAPACITY, None),
    "account": (RefusalKind.ACCOUNT, RefusalScope.ACCOUNT),
    "assistant": (RefusalKind.ACCOUNT, RefusalScope.ASSISTANT),
    "line": (RefusalKind.ACCOUNT, RefusalScope.LINE),
    "contact": (RefusalKind.CONTACT, None),
    "platform": (RefusalKind.PLATFORM, None),
}
CASES = [(reason, about) for about, text in TABLE.items() for reason in text.split()]


def about(reason: str | None, message: str | None = None) -> object:
    found = refusal_of_reason(reason, message)
    return found and (found.kind, found.scope)


@pytest.mark.parametrize(("reason", "expected"), CASES)
def test_each_known_reason_has_one_classification(reason: str, expected: str) -> None:
    assert about(reason) == KINDS.get(expected)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Authenticate (20003)", "line"),
        ("Twilio: Authentication Error - invalid username", "line"),
        (
            "21215: Account not authorized to call +4477. Enable geo permissions",
            "contact",
        ),
        ("Geographic Permission to dial this region is not enabled", "contact"),
        ("International calls are not allowed on this trunk", "contact"),
        ("The number +1202 is unverified. Trial accounts may only call it", "contact"),
        ("The 'To' number 5 is not a valid phone number", "contact"),
        ("21211", "contact"),
        ("The From number is unverified: 21210", "line"),
        ("Too many concurrent calls on this trunk", "capacity"),
        ("20429 Too Many Requests", "capacity"),
        (None, "line"),
    ],
)
def test_the_explanation_decides_about_a_carriers_refusal(
    message: str | None, expected: str
) -> None:
    assert about(f"{START}get-transport", message) == KINDS[expected]


def test_a_refused_number_is_recognised_in_a_failed_connection() -> None:
    reason, text = "twilio-failed-to-connect-call", "21219: The number is unverified"
    assert about(reason) is None
    assert about(reason, text) == KINDS["contact"]


def test_an_explanation_does_not_change_a_specific_reason() -> None:
    text = "International calls are not allowed; too many concurrent calls"
    assert about(f"{START}subscription-frozen", text) == KINDS["account"]
    assert about("customer-busy", text) is None


@given(st.from_regex(r"call\.start\.error-[a-z-]{1,40}", fullmatch=True))
def test_every_reason_of_a_call_not_started_is_a_refusal(reason: str) -> None:
    assert refusal_of_reason(reason, None) is not None


@pytest.mark.parametrize("status", [400, 403, 404, 429])
@pytest.mark.parametrize(
    "text",
    [
        "Over Concurrency Limit",
        "Over Concurrency Limit. Upgrade your plan or buy more lines.",
        "Subscription concurrency limit reached",
        "Too many concurrent calls",
    ],
)
def test_each_form_of_the_concurrency_limit_is_a_capacity_refusal(
    status: int, text: str
) -> None:
    assert answer(status, text) == KINDS["capacity"]


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "Free Vapi numbers do not support international calls.", "contact"),
        (403, "Upgrade your plan to make international calls", "contact"),
        (
            400,
            "The number is unverified. Trial accounts may only call others",
            "contact",
        ),
        (400, "Permission to call this destination country is missing", "contact"),
        (400, "Couldn't Get Phone Number. `phoneNumberId` 1 Does Not Exist.", "line"),
        (400, "Couldn't Get Assistant. `assistantId` 1 Does Not Exist.", "assistant"),
        (400, "Numbers bought on Vapi have a daily outbound limit", "line"),
        (402, "No credit for international calls", "account"),
        (401, "Invalid Key. Hot tip, ...", "account"),
        (400, "Something else", "platform"),
    ],
)
def test_an_answer_is_classified_by_its_text(
    status: int, text: str, expected: str
) -> None:
    assert answer(status, text) == KINDS[expected]


def answer(status: int, text: str) -> object:
    body = b'{"message": "%b"}' % text.encode()
    found = getattr(read_outcome(status, {}, body, now=NOW), "refusal", None)
    return found and (found.kind, found.scope)
