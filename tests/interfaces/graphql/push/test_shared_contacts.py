"""Subscriptions to the same contacts share what is read and resolved."""

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest
from graphql import ExecutionResult

from domain.values import Role
from interfaces.graphql.push.shared_frames import Frames, _resolved
from projections.contacts import contact_log
from tests.interfaces.graphql.push.test_subscriptions import CONTACTS, PROGRESS, claim
from tests.interfaces.serving import ApiClient, Socket

CALLS = """subscription($id: ID!) { contactUpdates(campaignId: $id) {
  name attempts outcome call { status events { type } } } }"""


def _watching(api: ApiClient, opened: ExitStack, query: str, id_: str) -> Socket:
    """Open a socket with this subscription, and wait until it has started."""
    socket = opened.enter_context(api.socket(api.token(Role.AUDITOR)))
    socket.acknowledged().subscribe(query, id=id_)
    socket.subscribe(PROGRESS, "2", id=id_)
    assert socket.receive()["id"] == "2"
    return socket


def _contacts(socket: Socket) -> list[dict[str, Any]]:
    while (frame := socket.receive())["id"] != "1":
        pass
    contacts: list[dict[str, Any]] = frame["payload"]["data"]["contactUpdates"]
    return contacts


def test_an_update_is_read_once_for_all_and_each_gets_the_fields_that_it_selected(
    shared_api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, reads = shared_api.campaign(), list[object]()
    read = contact_log.of_ids

    def counted(*given: Any) -> Any:
        reads.append(given)
        return read(*given)

    with ExitStack() as opened:
        brief = _watching(shared_api, opened, CONTACTS, id_)
        both = [_watching(shared_api, opened, CALLS, id_) for _ in range(2)]
        monkeypatch.setattr(contact_log, "of_ids", counted)
        claim(shared_api, id_, seen=0, contact=1)
        assert _contacts(brief) == [{"name": "Bob", "status": "QUEUED"}]
        shown = [_contacts(socket) for socket in both]
    assert shown[0] == shown[1]
    assert shown[0][0]["call"] == {
        "status": "QUEUED",
        "events": [{"type": "call.created"}],
    }
    assert len(reads) == 1


def test_a_result_that_is_being_resolved_outlives_the_first_subscription() -> None:
    async def run() -> None:
        release = asyncio.Event()

        async def resolve() -> ExecutionResult:
            await release.wait()
            return ExecutionResult({"contactUpdates": []}, None)

        future = asyncio.ensure_future(resolve())
        first, *others = [asyncio.create_task(_resolved(future)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        release.set()
        results = await asyncio.gather(*others)
        assert results[0].data is results[1].data
        assert results[0].data == {"contactUpdates": []}

    asyncio.run(run())


def test_members_of_different_roles_share_no_result() -> None:
    frames, operation = Frames(), object()
    result = ExecutionResult({"events": []}, None)
    frames.keep(operation, "{}", Role.ADMIN, result)
    assert frames.get(operation, "{}", Role.ADMIN) is result
    assert frames.get(operation, "{}", Role.AUDITOR) is None
