"""Vapi's HTTP API behind the application's port."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from time import sleep
from typing import Any
from urllib.parse import quote

import httpx2
import orjson
import tenacity

from application.ports import (
    AssistantChanges,
    CallOrder,
    ListedAssistant,
    NeverLeft,
    Outcome,
    PhoneNumber,
    Provider,
    ProviderAssistant,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
    Unknown,
)
from application.process.monotonic_clock import monotonic_now
from domain.calls.recording_url import RecordingUrls
from provider.vapi import ACTOR
from provider.vapi.assistants.assistant_fields import assistant_fields, with_fields
from provider.vapi.assistants.assistants import (
    LONGEST_NAME,
    changed_config,
    longest_call_seconds,
    model_of,
    read_assistant,
    read_listed,
    settable_config,
    warnings_of,
)
from provider.vapi.assistants.templates import call_texts, template_variables
from provider.vapi.assistants.tools import (
    TOOLS,
    answered_tools,
    read_tool_id,
    saved_id,
    tool_ids,
    with_tools,
)
from provider.vapi.lines import read_line
from provider.vapi.messages.reading import read_call
from provider.vapi.messages.tool_calls import tool_response
from provider.vapi.requests.call_control import END_CALL, control_url
from provider.vapi.requests.call_request import call_request
from provider.vapi.requests.request_outcomes import (
    answer_text,
    error_text,
    parsed,
    read_outcome,
)
from provider.vapi.settings import VapiSettings, server_of
from provider.vapi.texts import TEXTS
from provider.vapi.wire import BEFORE_SENDING, TooLate, Wire, WireTransport

PAGE = 100
LARGEST_PAGE = 1000
READ_TRIES = 3
TOO_LATE = "it was too late to send the request"
NO_KEY = "no API key is configured (AUTOLYNX_VAPI_API_KEY)"

BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
NO_LONGER_LIVE = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE}


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class VapiProvider(Provider):
    """Client of the API (https://docs.vapi.ai/api-reference); see also the port.

    Thread-safe: each request uses its own connection. `transport` replaces the network
    in tests, `now` is the time of answers without one, `wait` sleeps between tries.
    """

    actor = ACTOR
    longest_assistant_name = LONGEST_NAME
    texts = TEXTS
    tool_response = staticmethod(tool_response)
    assistant_fields = staticmethod(assistant_fields)
    with_fields = staticmethod(with_fields)
    settable_config = staticmethod(settable_config)
    longest_call_seconds = staticmethod(longest_call_seconds)
    template_variables = staticmethod(template_variables)
    preview = staticmethod(call_texts)
    assistant_warnings = staticmethod(warnings_of)

    def __init__(
        self,
        settings: VapiSettings,
        *,
        transport: httpx2.BaseTransport | None = None,
        now: Callable[[], datetime] = utc_now,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        self._settings, self._transport = settings, transport
        self._base = settings.base_url.rstrip("/")
        self._recordings = RecordingUrls(self._base)
        self._now, self._wait = now, wait

    # --- Placing a call -----------------------------------------------------------

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        """Request a call once with POST /call; see the port."""
        if self._settings.api_key is None:
            return NeverLeft(NO_KEY)
        if monotonic_now() >= send_before:
            return NeverLeft(TOO_LATE)
        wire = self._wire(send_before)
        try:
            answer = self._exchange(
                wire,
                "POST",
                f"{self._base}/call",
                json=call_request(order, server_of(self._settings)),
            )
        except Exception as error:  # noqa: BLE001 - after any error the call may exist
            was_not_sent = isinstance(error, BEFORE_SENDING) and not wire.sent
            text = error_text(error)
            return NeverLeft(text) if was_not_sent else Unknown(text)
        return read_outcome(
            answer.status_code, answer.headers, answer.content, now=self._now()
        )

    # --- Reading ------------------------------------------------------------------

    def call(self, provider_call_id: str) -> ProviderCall | None:
        """Read a call by the provider's id; None if the provider does not know it."""
        document = self._get_one("call", provider_call_id)
        if document is None or document.get("status") == "not-found":
            return None
        return _understood(document, self._recordings)

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        """List the calls of a line (None: of all) from `since` on, newest first.

        Pages backwards until a page is not full. Raises ProviderUnavailable if the
        pages cannot form a complete list.
        """
        found: dict[str, ProviderCall] = {}
        query = {"createdAtGe": _iso(since)}
        if phone_number_id is not None:
            query["phoneNumberId"] = phone_number_id
        limit = PAGE
        while True:
            page = self._page({**query, "limit": str(limit)})
            known = len(found)
            found |= {call.provider_call_id: call for call in page}
            if len(page) < limit:
                return sorted(
                    found.values(), key=lambda call: call.created_at, reverse=True
                )
            limit = PAGE if len(found) > known else _larger(limit)
            query["createdAtLe"] = _iso(min(call.created_at for call in page))

    def _page(self, query: Mapping[str, str]) -> list[ProviderCall]:
        rows = self._get_list("call", query)
        page = [_understood(row, self._recordings) for row in rows]
        if page and page[0].created_at < page[-1].created_at:
            raise ProviderUnavailable("the list of calls is not newest first")
        return page

    def assistant(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Read an assistant without its secrets; None if there is none."""
        document = self._get_one("assistant", provider_assistant_id)
        if document is None:
            return None
        return self._read_assistant({"id": provider_assistant_id, **document})

    def listed_assistants(self) -> list[ListedAssistant]:
        """List the account's assistants, at most LARGEST_PAGE."""
        rows = self._get_list("assistant", {"limit": str(LARGEST_PAGE)})
        return read_listed(rows)

    def create_assistant(self, name: str, config: dict[str, Any]) -> ProviderAssistant:
        """Create an assistant; raises ProviderRefused with the provider's reason."""
        answer = self._send(
            "POST", f"{self._base}/assistant", {**settable_config(config), "name": name}
        )
        return self._read_assistant(parsed(_checked(answer).content))

    def update_assistant(
        self,
        provider_assistant_id: str,
        name: str | None,
        config: dict[str, Any],
        fields: AssistantChanges | None = None,
    ) -> ProviderAssistant | None:
        """Change an assistant; None if there is none.

        Only changed keys are sent, because the shown configuration lacks its secrets.
        Fields are set in the provider's own copy, which has them.
        """
        now = self._get_one("assistant", provider_assistant_id)
        if now is None:
            return None
        change = changed_config(now, settable_config(config))
        wanted = with_fields({**now, **change}, fields or {})
        change = {key: one for key, one in wanted.items() if one != now.get(key)}
        if name is not None and name != now.get("name"):
            change["name"] = name
        if not change:
            return self._read_assistant(now)
        answer = self._send("PATCH", self._url("assistant", now["id"]), change)
        return self._read_assistant(parsed(_checked(answer).content))

    def add_tools(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Create the tools that the account lacks, and name them in the model."""
        now = self._get_one("assistant", provider_assistant_id)
        if now is None:
            return None
        model, saved = model_of(now), self._saved_tools()
        missing = sorted(TOOLS.keys() - {*answered_tools(model, saved)})
        if not missing:
            return self._read_assistant(now)
        changed = with_tools(model, [self._tool_id(name, saved) for name in missing])
        answer = self._send("PATCH", self._url("assistant", now["id"]), changed)
        return self._read_assistant(parsed(_checked(answer).content))

    def _tool_id(self, name: str, saved: list[dict[str, Any]]) -> str:
        """Return the id of the account's tool of that name; create it if need be."""
        if known := saved_id(name, saved):
            return known
        answer = self._send("POST", f"{self._base}/tool", TOOLS[name])
        return read_tool_id(parsed(_checked(answer).content))

    def _saved_tools(self) -> list[dict[str, Any]]:
        return self._get_list("tool", {"limit": str(LARGEST_PAGE)})

    def _read_assistant(self, document: Any) -> ProviderAssistant:
        """Read an assistant; its saved tools are looked up if it names any."""
        ids = tool_ids(model_of(document)) if isinstance(document, dict) else ()
        return read_assistant(document, self._saved_tools() if ids else ())

    def recording_link(self, provider_call_id: str) -> str | None:
        """Return a signed URL of the recording; None if there is none we accept."""
        url = f"{self._url('call', provider_call_id)}/mono-recording"
        answer = self._read("GET", url)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not answer.is_redirect:
            _checked(answer)
            raise ProviderUnavailable("no link to the recording in the answer")
        try:
            link = str(answer.url.join(answer.headers["location"]))
        except (httpx2.InvalidURL, ValueError):
            return None
        return link if self._recordings.accepts(link) else None

    def phone_numbers(self) -> list[PhoneNumber]:
        """List the account's phone numbers, at most LARGEST_PAGE."""
        rows = self._get_list("phone-number", {"limit": str(LARGEST_PAGE)})
        return [line for row in rows if (line := read_line(row)) is not None]

    # --- Ending -------------------------------------------------------------------

    def hang_up(self, provider_call_id: str) -> None:
        """End a call over its control URL; does nothing if it is over or unknown."""
        document = self._get_one("call", provider_call_id)
        if document is None or document.get("status") in {"ended", "not-found"}:
            return
        answer = self._read("POST", control_url(document, self._base), END_CALL)
        if answer.status_code not in NO_LONGER_LIVE:
            _checked(answer)

    # --- Requests -----------------------------------------------------------------

    def _get_one(self, kind: str, id_: str) -> dict[str, Any] | None:
        answer = self._read("GET", self._url(kind, id_))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        document = parsed(_checked(answer).content)
        if not isinstance(document, dict):
            raise ProviderUnavailable(f"no {kind} in the answer")
        return document

    def _url(self, kind: str, id_: str) -> str:
        return f"{self._base}/{kind}/{quote(id_, safe='')}"

    def _send(self, method: str, url: str, document: dict[str, Any]) -> httpx2.Response:
        try:
            body = orjson.dumps(document)
        except orjson.JSONEncodeError as error:
            raise ProviderRefused(f"it cannot be sent as JSON: {error}") from error
        return self._read(method, url, body)

    def _get_list(self, kind: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        url = str(httpx2.URL(f"{self._base}/{kind}", params=dict(query)))
        rows = parsed(_checked(self._read("GET", url)).content)
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            raise ProviderUnavailable(f"no list of {kind}s in the answer")
        return rows

    def _read(
        self, method: str, url: str, body: bytes | None = None
    ) -> httpx2.Response:
        """Send a request, again if it was not sent; raises ProviderUnavailable."""
        if self._settings.api_key is None:
            raise ProviderUnavailable(NO_KEY)
        again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(
                (httpx2.ConnectError, httpx2.ConnectTimeout)
            ),
            stop=tenacity.stop_after_attempt(READ_TRIES),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1),
            sleep=self._wait,
            reraise=True,
        )
        try:
            return again(self._ask, method, url, body)
        except (httpx2.HTTPError, httpx2.InvalidURL, TooLate) as error:
            raise ProviderUnavailable(error_text(error)) from error

    def _ask(self, method: str, url: str, body: bytes | None) -> httpx2.Response:
        return self._exchange(self._wire(float("inf")), method, url, content=body)

    def _wire(self, send_before: float) -> Wire:
        return Wire(monotonic_now() + self._settings.timeout_seconds, send_before)

    def _exchange(
        self, wire: Wire, method: str, url: str, **body: Any
    ) -> httpx2.Response:
        transport = self._transport or WireTransport(wire, self._context)
        with httpx2.Client(transport=transport, trust_env=False) as client:
            return client.request(method, url, headers=self._headers(url), **body)

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if url.startswith(f"{self._base}/"):
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        return headers

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()


def _understood(document: dict[str, Any], recordings: RecordingUrls) -> ProviderCall:
    """Read a call.

    Raises ProviderUnavailable for an unreadable one: if it were skipped, the contact
    could be called again.
    """
    call = read_call(document, recordings=recordings)
    if call is None:
        raise ProviderUnavailable("a call in the answer has no id or time")
    return call


def _checked(answer: httpx2.Response) -> httpx2.Response:
    status = answer.status_code
    if answer.is_success:
        return answer
    text = answer_text(status, parsed(answer.content), answer.content)
    if answer.is_client_error and status not in BUSY:
        raise ProviderRefused(text)
    raise ProviderUnavailable(text)


def _larger(limit: int) -> int:
    """Return a larger page size, for a page of calls created at the same instant."""
    if limit == LARGEST_PAGE:
        raise ProviderUnavailable("more calls at one instant than a page holds")
    return min(limit * 10, LARGEST_PAGE)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
