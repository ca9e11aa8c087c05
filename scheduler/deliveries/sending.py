"""Sends one webhook: signed as the Standard Webhooks specification has it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

import httpx2
from standardwebhooks import Webhook

from projections.deliveries.queue import Attempt, Outgoing
from scheduler.checked_http import AsyncOutsideTransport

TIMEOUT_SECONDS = 15.0
"""Longest time of an attempt, from the connection to the end of the answer."""

KEEPALIVE_SECONDS = 5.0
LONGEST_ANSWER = 65_536
"""Bytes that are read of an answer's body, so that the connection can be used again."""

LONGEST_ERROR = 200

ABOUT_THE_ENDPOINT = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 423, 425, 429})
"""Client errors that any other message would get as well."""

log = logging.getLogger(__name__)


class Sender:
    """Sends webhooks over pooled connections; used in one event loop.

    `now` returns the time for the signature, aware, in UTC. `any_address` allows
    link-local and metadata addresses.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        any_address: bool = False,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._now, self._timeout = now, timeout
        self._client = httpx2.AsyncClient(
            transport=AsyncOutsideTransport(
                any_address=any_address, keepalive_expiry=KEEPALIVE_SECONDS
            ),
            timeout=timeout,
            trust_env=False,
            headers={"user-agent": "AutoLynx-Webhooks"},
        )

    async def send(self, outgoing: Outgoing) -> Attempt:
        """Make one attempt; faults of the endpoint are in the result, not raised."""
        try:
            async with asyncio.timeout(self._timeout):
                status = await self._post(outgoing)
        except TimeoutError:
            return _failed(outgoing, f"no answer within {self._timeout:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            message = f"{type(error).__name__}: {error}".rstrip(": ")
            return _failed(outgoing, message[:LONGEST_ERROR])
        if 200 <= status < 300:  # noqa: PLR2004 - success, by RFC 9110
            answer = _shown(status)
            return Attempt(
                outgoing.id, outgoing.endpoint_id, is_delivered=True, answer=answer
            )
        client_error = 400 <= status < 500  # noqa: PLR2004 - by RFC 9110
        refused = client_error and status not in ABOUT_THE_ENDPOINT
        return _failed(outgoing, _shown(status), refused=refused)

    async def _post(self, outgoing: Outgoing) -> int:
        """Post the body; return the status code."""
        async with self._client.stream(
            "POST",
            outgoing.url,
            content=outgoing.body.encode(),
            headers={"content-type": "application/json", **self._headers(outgoing)},
        ) as answer:
            read = 0
            async for piece in answer.aiter_raw():
                read += len(piece)
                if read > LONGEST_ANSWER:
                    break
            return answer.status_code

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        """Return the headers of the specification, with one signature per secret."""
        at, message_id = self._now(), str(outgoing.id)
        signatures = [
            Webhook(key).sign(message_id, at, outgoing.body) for key in outgoing.keys
        ]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _shown(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _failed(outgoing: Outgoing, answer: str, *, refused: bool = False) -> Attempt:
    return Attempt(
        outgoing.id,
        outgoing.endpoint_id,
        is_delivered=False,
        answer=answer,
        refused=refused,
    )
