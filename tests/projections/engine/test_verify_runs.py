"""Runs of the verification: incremental, repeated, and beside other work."""

import pytest

from projections.engine.rebuild import RebuildUnderWay, alone, rebuild
from projections.engine.runner import catch_up
from projections.engine.schema import create_read_model
from projections.engine.verify import CHECK, Verified, verify
from storage.database import connect
from tests.projections.engine.ledger import Ledger
from tests.wiring import NOON


def test_an_incremental_run_continues_after_the_last_clean_run(ledger: Ledger) -> None:
    assert ledger.verify().after == 0
    first = ledger.last
    assert ledger.verify(incremental=True).after == first
    ledger.make_call()
    assert ledger.verify(incremental=True) == Verified(first, ledger.last, 0)


def test_an_incremental_run_finds_later_changes(ledger: Ledger) -> None:
    ledger.verify()
    ledger.make_call()
    at = ledger.position_of("call.reported")
    ledger.execute(
        "update autolynx_events set state = state || ' ' where notification_id = %s", at
    )
    ledger.execute("update campaign_board set ended = 0")
    found = ledger.found(incremental=True)
    assert found[0] == (at, f"Event {at} (call.reported) was changed.")
    assert "ended is 0, the events say 2" in found[-1][1]


def schemas(ledger: Ledger) -> set[str]:
    rows = ledger.conn.execute("select nspname from pg_namespace").fetchall()
    return {row[0] for row in rows}


@pytest.mark.parametrize("incremental", [False, True])
def test_a_run_leaves_no_tables_behind(ledger: Ledger, incremental: bool) -> None:
    before = schemas(ledger)
    ledger.verify(incremental=incremental)
    ledger.verify(incremental=incremental)
    assert schemas(ledger) == before
    ledger.execute("update campaign_board set cap = 77")
    assert ledger.verify(incremental=incremental).problems == 1
    assert schemas(ledger) == before


def test_a_run_that_fails_leaves_no_tables_behind(ledger: Ledger) -> None:
    before = schemas(ledger)

    def fail(_done: int, _of: int) -> None:
        if CHECK in schemas(ledger):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(ledger.services.url, now=lambda: NOON, progress=fail)
    assert schemas(ledger) == before


def test_tables_of_a_killed_run_are_not_used(ledger: Ledger) -> None:
    create_read_model(ledger.conn, CHECK)
    ledger.conn.execute(f"alter table {CHECK}.spend_by_day add column more text")
    ledger.conn.execute(f"update {CHECK}.projection_position set position = 5")
    assert ledger.verify().problems == 0


def test_a_log_truncated_together_with_its_index_is_reported(
    ledger: Ledger,
) -> None:
    ledger.verify()
    end = ledger.last
    ledger.execute("delete from autolynx_events where notification_id > %s", end - 3)
    recompute_read_model(ledger)
    found = ledger.found()
    assert found[0] == (
        end - 2,
        f"The log ends at event {end - 3}; it was verified up to event {end}.",
    )
    assert ledger.found()[0] == found[0], "the evidence was overwritten"


def test_a_recomputed_chain_is_reported(
    ledger: Ledger,
) -> None:
    ledger.verify()
    end = ledger.last
    ledger.execute(
        "update autolynx_events"
        " set state = replace(convert_from(state, 'utf8'), 'ann@', 'bob@')::bytea"
        " where topic = 'campaign.paused'"
    )
    recompute_read_model(ledger)
    assert ledger.found() == [
        (end, f"The chain at event {end} is not the one that was verified.")
    ]
    assert ledger.found() != [], "the evidence was overwritten"


def recompute_read_model(ledger: Ledger) -> None:
    """Recompute chain and read tables from the current log."""
    ledger.conn.execute("drop schema read cascade")
    with connect(ledger.services.url, name="second run") as conn:
        create_read_model(conn)
        catch_up(conn)


def test_events_appended_during_a_run_are_verified_too(ledger: Ledger) -> None:
    lived: list[int] = []

    def progress(done: int, _of: int) -> None:
        if not lived:
            ledger.make_call()
        lived.append(done)

    before = ledger.last
    verified = verify(ledger.services.url, now=lambda: NOON, progress=progress)
    assert verified == Verified(0, ledger.last, 0)
    assert ledger.last > before
    assert ledger.mark.up_to == ledger.last
    assert lived == sorted(lived)
    assert ledger.verify(incremental=True).after == ledger.last


def test_only_one_rebuild_or_verification_runs_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.verify.LOCK_SECONDS", 0.1)
    with (
        connect(ledger.services.url, name="other") as conn,
        alone(conn),
        pytest.raises(RebuildUnderWay),
    ):
        ledger.verify()
    rebuild(ledger.services.url)
    assert ledger.found() == []


def test_a_table_of_another_version_is_not_compared(
    ledger: Ledger,
) -> None:
    ledger.execute("update call_log set attempt = attempt + 1")
    ledger.conn.execute("comment on table call_log is 'form of another version'")
    [(position, message)] = ledger.found()
    assert position is None
    assert message == (
        "Not compared: read tables of another version: call_log; a projector of this"
        " version rebuilds them when it starts, or run:"
        " autolynx projections rebuild call_log."
    )


def test_the_result_names_the_projections_to_rebuild(ledger: Ledger) -> None:
    ledger.execute("update charged_calls set cost = cost + 1")
    ledger.execute("update contact_log set attempt = attempt + 1")
    assert ledger.verify().rebuild == ("contact_log", "spend")
    rebuild(ledger.services.url, name="contact_log")
    assert ledger.verify().rebuild == ("spend",)
    rebuild(ledger.services.url)
    assert ledger.verify().rebuild == ()
