"""A large suppression list: its upload, and its look-ups before requests.

NUMBERS is the size of the list, 10,000,000 unless the environment variable is set.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

import httpx2

from application.app import AutoLynx
from application.calling_rules.loader import load_rule_book
from application.calls.call_gate import CallGate
from application.calls.call_requests import CallRequests
from application.installation_key import InstallationKey
from application.suppression_lists.number_lists import NumberLists
from application.vault import Callee, ContactRow
from bench.support.event_history import CAMPAIGN, LIST, contact_id, opening
from bench.support.figures import Figure, medians
from bench.support.installation import Installation, Server, context
from bench.support.number_list import NumberList
from bench.support.process_usage import peak_mebibytes
from domain.calls.call import Call
from domain.gate.permit import Granted, Permit
from domain.settings import RulesMode, SettingsValues
from storage.suppression.blocks import BlockStore
from storage.vault.tables import Vault

NUMBERS = int(os.environ.get("NUMBERS", "10000000"))
CALLS, ROUNDS = 300, 3
AFTERNOON = datetime(2026, 6, 10, 20, tzinfo=UTC)
"""16:00 in New York, 13:00 in Los Angeles, on a Wednesday."""

STORED = "select pg_total_relation_size('suppression_block')"


def measure(server: Server) -> Iterator[Figure]:
    """Measure the upload of the list, and requests that look their number up in it."""
    listed = NumberList(NUMBERS)
    with server.installation() as installation:
        start = perf_counter()
        _upload(installation, listed)
        took = perf_counter() - start
        yield from _upload_figures(installation, took)
        yield from _request_figures(installation, listed)


def _upload(installation: Installation, listed: NumberList) -> None:
    today = datetime.now(UTC).date().isoformat()
    answer = httpx2.post(
        f"{installation.url}/suppression-lists",
        params={"name": "Registry", "asOf": today, "maxAgeDays": "31"},
        content=listed.lines(),
        headers=installation.headers,
        timeout=3_600,
    )
    answer.raise_for_status()
    assert answer.json()["numbers"] == listed.size, answer.text


def _upload_figures(installation: Installation, seconds: float) -> Iterator[Figure]:
    with installation.pool.connection() as conn:
        [stored] = conn.execute(STORED).fetchone() or [0]
    details = f"{NUMBERS:,} numbers over HTTP until the list is active, {seconds:.0f} s"
    rate = NUMBERS / seconds
    yield Figure(name="suppression list", value=rate, unit="numbers/s", details=details)
    yield Figure(
        name="suppression list, peak memory of the API",
        value=peak_mebibytes(installation.api.pid),
        unit="MiB",
        target=250,
        details=f"{NUMBERS:,} numbers",
    )
    yield Figure(
        name="suppression list, stored",
        value=stored / 2**20,
        unit="MiB",
        details=f"{NUMBERS:,} numbers, table and index",
    )


def _request_figures(
    installation: Installation, listed: NumberList
) -> Iterator[Figure]:
    requests = _Requests(installation, listed.others(CALLS * ROUNDS * 2))
    gated, free = medians(requests.gated, requests.free, rounds=ROUNDS)
    details = f"{CALLS:,} requests one by one, each of another number"
    yield Figure(
        name="look-up of a number",
        value=requests.look_up_microseconds(),
        unit="µs",
        target=50,
        details=f"more time to read a contact with its look-up in a list of"
        f" {NUMBERS:,} numbers, and the gate's look-up; medians",
    )
    yield Figure(
        name="request stored, with the gate",
        value=gated,
        unit="ms",
        details=f"rules, caps, register and list decided; {details}",
    )
    yield Figure(
        name="request stored, cost of the gate",
        value=gated / free,
        unit="times",
        target=1.5,
        details=f"compared with a gate that grants everything ({free:.2f} ms)",
    )


@dataclass(slots=True)
class _TimedLists:
    """Measures the look-ups of the gate; the answers must be known already."""

    lists: NumberLists
    seconds: list[float] = field(default_factory=list)

    def look_up(
        self, versions: Collection[UUID], number: str, known: Mapping[UUID, bool]
    ) -> dict[UUID, bool]:
        start = perf_counter()
        found = self.lists.look_up(versions, number, known)
        self.seconds.append(perf_counter() - start)
        assert found == known == dict.fromkeys(versions, False), (found, known)
        return found


class _GrantAll:
    """A gate that decides nothing."""

    def decide(self, *_: object, **__: object) -> Granted:
        """Grant the call."""
        return Granted(Permit((), (), "", "", (), (), ()))


class _Contacts:
    """Finds contacts in the vault, without the read tables."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def callee(self, contact: UUID) -> Callee | None:
        """Return a contact of the only list."""
        return self._vault.callee(contact, LIST)


class _Requests:
    """Claimed calls that are requested in rounds, with the gate and without it."""

    def __init__(self, installation: Installation, phones: list[str]) -> None:
        app, self._vault = installation.app, Vault(installation.pool)
        now = replace(context(), now=lambda: AFTERNOON)
        key = InstallationKey(app, now, self._vault)
        key.prepare()
        self._lists = _TimedLists(BlockStore(installation.pool))
        rule_book = load_rule_book()
        settings = SettingsValues(calling_rules=RulesMode.ENFORCED)
        gate = CallGate(lambda: rule_book, self._lists, settings)
        contacts: Any = _Contacts(self._vault)
        made = partial(CallRequests, app, now, contacts, key)
        self._gated, self._free = made(gate), made(_grant_all())
        self._calls = batched(_claimed(app, phones), CALLS)

    def look_up_microseconds(self) -> float:
        """Return what the look-ups add to one request, in microseconds."""
        reads = (self._vault.callee, self._vault.contact)
        contacts = list(map(contact_id, range(CALLS * ROUNDS * 2)))
        seconds = [[_seconds(read, contact) for read in reads] for contact in contacts]
        with_lists, without = map(median, zip(*seconds, strict=True))
        return float(with_lists - without + median(self._lists.seconds)) * 1e6

    def gated(self) -> float:
        """Request the next calls behind the gate; return milliseconds for each."""
        return self._milliseconds(self._gated)

    def free(self) -> float:
        """Request the next calls without the gate; return milliseconds for each."""
        return self._milliseconds(self._free)

    def _milliseconds(self, requests: CallRequests) -> float:
        calls = next(self._calls)
        before = AFTERNOON + timedelta(seconds=10)
        start = perf_counter()
        for call in calls:
            assert requests.request(call, dial_before=before) is not None
        return (perf_counter() - start) / len(calls) * 1000


def _grant_all() -> Any:
    return _GrantAll()


def _seconds(read: Callable[[UUID, UUID], object], contact: UUID) -> float:
    start = perf_counter()
    read(contact, LIST)
    return perf_counter() - start


def _claimed(app: AutoLynx, phones: list[str]) -> list[UUID]:
    """Store contacts with these numbers and a claimed call of each."""
    app.append(*opening(len(phones)))
    made: list[UUID] = []
    for numbered in batched(enumerate(phones), 1_000):
        calls = [_claim(number) for number, _ in numbered]
        app.append(*calls, vault=[_person(*one) for one in numbered])
        made += [call.id for call in calls]
    return made


def _person(number: int, phone: str) -> ContactRow:
    return ContactRow(
        salt=bytes(32),
        contact_id=contact_id(number),
        list_id=LIST,
        campaign_id=CAMPAIGN,
        name="Ada",
        business_name="Engines Ltd",
        phone=phone,
        variables={"plan": "gold"},
    )


def _claim(number: int) -> Call:
    return Call.create(
        campaign_id=CAMPAIGN,
        contact_id=contact_id(number),
        attempt=1,
        claim_id=UUID(int=9),
        batch=None,
        at=AFTERNOON,
        by="bench",
    )
