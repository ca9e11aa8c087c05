"""Classifies the provider's refusals: one table for answers and ended reasons.

A refusal comes as an HTTP answer to POST /call, or after the 201 as an ended reason of
a call that was never answered. Both are classified here, by rules with stable ids that
events store. Sources: the SDK's list of ended reasons, the documentation of the
concurrency limit, and the public error codes of Twilio for the carrier's texts.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from domain.values import Refusal, RefusalKind, RefusalScope

START = "call.start.error-"
"""Prefix of ended reasons of calls that the provider did not dial."""


def _capacity(rule: str) -> Refusal:
    return Refusal(RefusalKind.CAPACITY, None, rule)


def _contact(rule: str) -> Refusal:
    return Refusal(RefusalKind.CONTACT, None, rule)


def _platform(rule: str) -> Refusal:
    return Refusal(RefusalKind.PLATFORM, None, rule)


def _account(scope: RefusalScope | None, rule: str) -> Refusal:
    return Refusal(RefusalKind.ACCOUNT, scope, rule)


ACCOUNT, ASSISTANT, LINE = (
    RefusalScope.ACCOUNT,
    RefusalScope.ASSISTANT,
    RefusalScope.LINE,
)


# --- By the text of an answer, or of `endedMessage` ---------------------------------


@dataclass(frozen=True, slots=True)
class _TextRule:
    pattern: re.Pattern[str]
    refusal: Refusal


def _text(pattern: str, refusal: Refusal) -> _TextRule:
    return _TextRule(re.compile(pattern, re.IGNORECASE | re.DOTALL), refusal)


CONTACT_TEXTS = (
    _text(
        r"\binternational (calls?|calling|numbers?|dialing)\b"
        r"|(call|calls|calling|dial) (to )?international",
        _contact("text-international"),
    ),
    _text(
        r"geo.?(graphic(al)?)?.?permission|not authori[sz]ed to call"
        r"|permission.{0,60}\b(region|country|destination)|\b(21215|21408|13227)\b"
        r"|(country|region|destination).{0,40}not (allowed|enabled|permitted)",
        _contact("text-geographic-permission"),
    ),
    _text(
        r"(?<!from )(?<!caller )number.{0,60}\bunverified\b|\b21219\b"
        r"|(only|may).{0,30} (make )?calls? to verified numbers",
        _contact("text-unverified-number"),
    ),
    _text(
        r"\b'?to'? (phone )?number.{0,80}(not (a )?valid|invalid|cannot be reached)"
        r"|invalid '?to'? (phone )?number|\b(21211|21214|21217|13223|13224)\b",
        _contact("text-invalid-number"),
    ),
    _text(r"do.?not.?call|\bblocklist|\bblacklist", _contact("text-blocked-number")),
)
CAPACITY_TEXTS = (
    _text(
        r"concurren|rate.?limit|too many (calls|requests)|\b(20429|10004)\b"
        r"|queue (is )?(full|overflow)",
        _capacity("text-capacity"),
    ),
)
ACCOUNT_TEXTS = (
    _text(r"daily|per day", _account(LINE, "text-daily-limit")),
    _text(
        r"phone.?number\b.{0,120}(not (be )?f(ou|i)nd|not exist|deleted|gone)"
        r"|couldn't (get|find) (the )?phone number"
        r"|\b'?from'?.{0,60}(not (a )?(valid|verified)|invalid|unverified)"
        r"|\b(21210|21212|21606)\b",
        _account(LINE, "text-line"),
    ),
    _text(
        r"assistant\b.{0,120}(not (be )?f(ou|i)nd|not exist|deleted|gone)"
        r"|couldn't (get|find) (the )?assistant",
        _account(ASSISTANT, "text-assistant"),
    ),
    _text(
        r"frozen|suspended|disabled|credit|wallet|balance|billing|payment|subscription"
        r"|upgrade your plan|invalid key",
        _account(ACCOUNT, "text-account"),
    ),
)
SOON_TEXTS = (_text(r"not now|try again|temporarily", _capacity("text-try-again")),)
DAILY = re.compile(r"daily|per day", re.IGNORECASE)


def _by_text(text: str, *groups: tuple[_TextRule, ...]) -> Refusal | None:
    for group in groups:
        for rule in group:
            if rule.pattern.search(text):
                return rule.refusal
    return None


# --- HTTP answers to POST /call -----------------------------------------------------

MALFORMED = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
NO_CREDIT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}
NO_ACCOUNT = NO_CREDIT | {HTTPStatus.FORBIDDEN}
CUSTOMER = re.compile(r"\bcustomer\b(?!.*should not exist)", re.IGNORECASE | re.DOTALL)
CUSTOMER_FIELD = re.compile(r"\bcustomer\.\w+(?!.*should not exist)", re.DOTALL)


def refusal_of_answer(status: int, message: Any, text: str) -> Refusal:
    """Classify a 4xx answer to POST /call that has the form of the API's errors.

    `message` is that of the body, a sentence or a list of validation texts; `text` is
    the whole answer as one text.
    """
    if status in MALFORMED and _names_the_customer(message):
        return _contact("answer-customer")
    if status not in NO_CREDIT:
        found = _by_text(text, CONTACT_TEXTS)
        if found is None and not DAILY.search(text):
            found = _by_text(text, CAPACITY_TEXTS)
        if found is not None:
            return found
    found = _by_text(text, ACCOUNT_TEXTS)
    if found is not None:
        return found
    if status == HTTPStatus.NOT_FOUND:
        return _account(None, "answer-404")
    return _by_text(text, SOON_TEXTS) or refusal_of_status(status)


def refusal_of_status(status: int) -> Refusal:
    """Classify a 4xx answer by its status alone."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _capacity("answer-429")
    if status in NO_ACCOUNT:
        return _account(ACCOUNT, f"answer-{int(status)}")
    return _platform("answer-unclassified")


def _names_the_customer(message: Any) -> bool:
    """Validation texts come as a list; a plain sentence must name the field."""
    if isinstance(message, list):
        return any(CUSTOMER.search(text) for text in message if isinstance(text, str))
    return isinstance(message, str) and bool(CUSTOMER_FIELD.search(message))


# --- Ended reasons ------------------------------------------------------------------

SIP_407 = (
    "call.in-progress.error-providerfault-outbound-sip-407"
    "-proxy-authentication-required"
)
_REASONS: dict[str, Refusal] = {
    reason: refusal
    for refusal, reasons in (
        (
            _capacity("reason-concurrency"),
            (f"{START}subscription-concurrency-limit-reached",),
        ),
        (
            _account(ACCOUNT, "reason-account"),
            (
                f"{START}fraud-check-failed",
                f"{START}subscription-frozen",
                f"{START}subscription-insufficient-credits",
                f"{START}subscription-upgrade-failed",
                f"{START}subscription-wallet-does-not-exist",
                "license-check-failed",
            ),
        ),
        (
            _account(ASSISTANT, "reason-assistant"),
            (
                f"{START}enterprise-feature-not-available-recording-consent",
                f"{START}get-assistant",
                f"{START}get-resources-validation",
                "assistant-not-found",
                "assistant-not-valid",
                "assistant-request-failed",
                "assistant-request-returned-error",
                "assistant-request-returned-forwarding-phone-number",
                "assistant-request-returned-invalid-assistant",
                "assistant-request-returned-no-assistant",
                "assistant-request-returned-unspeakable-error",
                "call.start.assistant-version-error-validation",
                "call.start.squad-version-error-validation",
                "call-start-error-neither-assistant-nor-server-set",
            ),
        ),
        (
            _account(LINE, "reason-line"),
            (
                f"{START}get-phone-number",
                f"{START}vapi-number-outbound-daily-limit",
            ),
        ),
        (
            _account(LINE, "reason-carrier"),
            (
                f"{START}get-transport",
                SIP_407,
            ),
        ),
        (
            _contact("reason-contact"),
            (
                f"{START}get-customer",
                f"{START}vapi-number-international",
            ),
        ),
        (
            _contact("reason-invalid-number"),
            (
                "sip-outbound-unallocated-number",
                "twilio-reported-customer-misdialed",
            ),
        ),
        (
            _platform("reason-platform"),
            (
                f"{START}vapifault-database-error",
                f"{START}vapifault-get-org",
                f"{START}vapifault-get-subscription",
                f"{START}vapifault-worker-not-available",
            ),
        ),
    )
    for reason in reasons
}

_EXPLAINED = frozenset(
    {
        f"{START}get-resources-validation",
        f"{START}get-transport",
        "twilio-failed-to-connect-call",
        "vonage-failed-to-connect-call",
    }
)
"""Reasons under which the carrier's own refusals hide: `endedMessage` names them."""


def refusal_of_reason(reason: str | None, message: str | None) -> Refusal | None:
    """Classify the end of a call that was never answered; None: it is no refusal.

    Reasons after which the phone may have rung are none: the person is not called
    again because of them. `message` is the call's `endedMessage`.
    """
    if reason is None:
        return None
    if message and (reason in _EXPLAINED or _is_unknown_start(reason)):
        found = _by_text(message, CONTACT_TEXTS, CAPACITY_TEXTS)
        if found is not None:
            return found
    if not _is_unknown_start(reason):
        return _REASONS.get(reason)
    if "concurrency" in reason:
        return _capacity("reason-concurrency")
    return _platform("reason-unknown-start")


def _is_unknown_start(reason: str) -> bool:
    return reason.startswith(START) and reason not in _REASONS
