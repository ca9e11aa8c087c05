"""How long it takes to count who may be called among 200,000 rows or contacts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import LiteralString
from uuid import UUID

from application.app import AutoLynx
from application.calling_rules.loader import load_rule_book
from application.installation_key import InstallationKey
from application.numbers import NumberService
from application.suppression_lists.service import ListTerms, SuppressionListService
from bench.support.figures import Figure, medians
from bench.support.installation import Server, context
from bench.support.number_list import NumberList
from domain.campaigns.campaign_terms import CALLED_ONCE
from domain.numbers.number import SuppressionSource
from domain.settings import RulesMode, SettingsValues
from projections.dialability import DialabilityReader
from projections.engine.runner import catch_up
from projections.engine.schema import open_read_pool
from storage.database import Conn, Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.suppression.blocks import BlockStore
from storage.vault.tables import Vault

ROWS, LISTED, SUPPRESSED = 200_000, 10_000_000, 100_000
UPLOAD, CAMPAIGN, LIST = UUID(int=1), UUID(int=2), UUID(int=3)
AFTERNOON = datetime(2026, 6, 10, 20, tzinfo=UTC)

# Every contact states another time of consent, as a form's log does.
UPLOAD_ROWS: LiteralString = """
insert into upload_row (upload_id, ordinal, "row", name, business_name, phone,
    variables, attributes)
select %(upload)s, n, n + 1, 'Person ' || n, 'Company', phone, '{"plan": "gold"}',
    json_build_object('consent_at',
        timestamptz '2026-01-01' + n * interval '1 second')
from unnest(%(phones)s::text[]) with ordinality as one (phone, n)
"""
CONTACTS: LiteralString = """
insert into contact_vault (contact_id, list_id, campaign_id, name, business_name,
    phone, variables, salt, leaf)
select gen_random_uuid(), %(list)s, %(campaign)s, name, business_name, phone, variables,
    '', ''
from upload_row;
"""
IN_THE_CAMPAIGN: LiteralString = """
insert into contact_log (contact_id, list_id, campaign_id, seq, group_id)
select contact_id, list_id, campaign_id, row_number() over (), 1 from contact_vault
"""
GROUP: LiteralString = """
insert into contact_group (group_id, codes, zones, source, has_consent)
values (1, 'US', 'America/New_York', 'NUMBER', true)
"""
BOARD: LiteralString = """
insert into campaign_board (id, name, state, mode, cap, line_quiet_gating,
    assistant_id, provider_assistant_id, phone_number_id, longest_call_seconds,
    created_at, created_by, queued_at, started_at, contacts, pending, version)
values (%(campaign)s, %(campaign)s, 'RUNNING', 'CONTINUOUS', 10, false, %(campaign)s,
    'riley', 'line', 600, now(), 'bench', now(), now(), %(rows)s, %(rows)s, 4)
"""
IMPORT: LiteralString = """
insert into contact_import (list_id, campaign_id, filename_words_id, starts_at,
    opened_at, imported_at, imported_position)
values (%(list)s, %(campaign)s, %(list)s, 0, now(), now(), 1)
"""
REGISTER: LiteralString = """
with words as (
    insert into words_vault (id, subject_id, words, salt, leaf)
    select gen_random_uuid(), gen_random_uuid(),
        '+1646' || lpad(n::text, 7, '0'), '', ''
    from generate_series(1, %s) as n returning id, subject_id
)
insert into suppression_board (id, source, phone_id, added_at, added_by, position)
select subject_id, 'PERSON', id, now(), 'bench', row_number() over () from words
"""


@dataclass(frozen=True, slots=True)
class _Counted:
    """The services of one installation, and what is counted in it."""

    conn: Conn
    reading: Pool
    reader: DialabilityReader
    numbers: NumberService
    lists: SuppressionListService
    phones: list[str]

    def count(self, counted: Callable[..., object], subject: UUID) -> float:
        """Return the milliseconds of one count."""
        with self.reading.connection() as conn:
            start = perf_counter()
            counted(conn, subject, CALLED_ONCE, AFTERNOON)
            return (perf_counter() - start) * 1000


def measure(server: Server) -> Iterator[Figure]:
    """Measure counts in ms, each with one more thing that makes them slower."""
    with _counted(server) as counted_in:
        yield from _figures(counted_in, "plain")
        counted_in.conn.execute(REGISTER, (SUPPRESSED,))
        yield from _figures(counted_in, f"with {SUPPRESSED:,} numbers suppressed")
        _suppress_erased(counted_in)
        yield from _figures(counted_in, "with an erased person among them as well")
        _receive(counted_in, "Registry", AFTERNOON.date())
        yield from _figures(counted_in, f"with a list of {LISTED:,} numbers as well")
        _receive(counted_in, "Old registry", AFTERNOON.date() - timedelta(days=90))
        yield from _figures(counted_in, "with an expired list of everybody as well")


def _figures(counted_in: _Counted, case: str) -> Iterator[Figure]:
    counted_in.conn.execute("analyze")
    upload = partial(counted_in.count, counted_in.reader.of_upload, UPLOAD)
    campaign = partial(counted_in.count, counted_in.reader.of_campaign, CAMPAIGN)
    names = ("an upload", "a campaign")
    for name, value in zip(names, medians(upload, campaign), strict=True):
        yield Figure(
            name=f"dialability of {name}",
            value=value,
            unit="ms",
            target=1_000,
            details=f"{ROWS:,} rows, {case}",
        )


def _suppress_erased(counted_in: _Counted) -> None:
    id_, _ = counted_in.numbers.suppress(
        counted_in.phones[5], source=SuppressionSource.PERSON, reason=None, by="bench"
    )
    counted_in.conn.execute(
        "insert into suppression_board (id, source, added_at, added_by, position)"
        " values (%s, 'PERSON', now(), 'bench', 0)",
        (id_,),
    )


def _receive(counted_in: _Counted, name: str, as_of: date) -> None:
    terms = ListTerms(name, as_of, max_age_days=31)
    counted_in.lists.receive(terms, NumberList(LISTED).lines(), by="bench")
    catch_up(counted_in.conn)


@contextmanager
def _counted(server: Server) -> Iterator[_Counted]:
    with (
        server.database() as url,
        connect(url, name="bench") as conn,
        open_pool(url, name="bench", max_size=2) as writing,
        open_read_pool(url, name="bench", max_size=2) as reading,
    ):
        conn.execute("set search_path = read, public")
        app, sources = AutoLynx(EventStoreFactory(writing)), context()
        key = InstallationKey(app, sources, Vault(writing))
        numbers, blocks = NumberService(app, sources, key), BlockStore(writing)
        book = load_rule_book()
        reader = DialabilityReader(
            rule_book=lambda: book,
            first_settings=SettingsValues(calling_rules=RulesMode.ENFORCED),
            blocks=blocks,
            number_ids=key.number_ids,
            request_limit=timedelta(seconds=20),
        )
        phones = NumberList(LISTED).others(ROWS)
        _fill(conn, phones)
        lists = SuppressionListService(app, sources, blocks)
        yield _Counted(conn, reading, reader, numbers, lists, phones)
        app.close()


def _fill(conn: Conn, phones: list[str]) -> None:
    """Write rows as a reception, an import and the projector would."""
    values = {
        "upload": UPLOAD,
        "campaign": CAMPAIGN,
        "list": LIST,
        "phones": phones,
        "rows": len(phones),
    }
    for statement in (UPLOAD_ROWS, CONTACTS, GROUP, BOARD, IMPORT, IN_THE_CAMPAIGN):
        conn.execute(statement, values)
    conn.execute("vacuum analyze")
