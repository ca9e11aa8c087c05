"""Forecasts of campaigns and drafts, from one snapshot of the read tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from domain.campaigns.campaign_terms import CallingTerms
from domain.forecast.learning.counts import CampaignCounts
from domain.forecast.log import (
    Limit,
    NeverCalled,
    Occasion,
    QuantityForecast,
    Score,
    StoredForecast,
)
from domain.forecast.naive import Past, naive_forecasts
from domain.forecast.scores import corrections, coverage_of
from domain.forecast.situation import Made, Situation
from domain.gate.rules import RuleBook
from domain.outcomes import ANSWERED, Withheld
from domain.settings import SettingsValues
from domain.values import ZERO, DialMode
from projections import spend
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts.waiting_numbers import of_upload
from projections.dialability import DialabilityReader
from projections.forecasts import campaign_forecasts
from projections.forecasts.situation import (
    Strata,
    Waiting,
    counts_of,
    shared_slots,
    strata_of,
    talking_seconds,
    waiting_contacts,
)
from projections.registers import settings_board
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn

if TYPE_CHECKING:
    from domain.forecast.forecast import Forecast

SEED = 17
"""Forecasts of the same situation are equal, so that changes have a cause."""

REFILL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign that is not created yet; the budget is in US dollars."""

    upload_id: UUID
    terms: CallingTerms
    assistant_id: UUID | None = None
    cap: int | None = None
    mode: DialMode = DialMode.CONTINUOUS
    budget: Decimal | None = None


@dataclass(slots=True)
class _Learned:
    """What was learned up to a position of the log; the newest campaign is first."""

    position: int = -1
    scores: list[list[Score]] = field(default_factory=list)
    counts: list[CampaignCounts] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Everything that a forecast is computed from, without a database."""

    situation: Situation
    wider_hours: Situation | None
    own: CampaignCounts
    talking: Sequence[float]
    learned: _Learned
    occasion: Occasion
    past: Past


class ForecastReader:
    """Reads the present situation and simulates it.

    `first_settings` apply until settings are stored. `request_limit` is how long a
    request may last. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        rule_book: Callable[[], RuleBook | None],
        first_settings: SettingsValues,
        dialability: DialabilityReader,
        request_limit: timedelta,
    ) -> None:
        self._rule_book, self._first = rule_book, first_settings
        self._dialability, self._limit = dialability, request_limit
        self._learned, self._lock = _Learned(), Lock()

    def of_campaign(
        self, conn: Conn, campaign_id: UUID, now: datetime
    ) -> StoredForecast | None:
        """Forecast a campaign from now on; None if there is none, or it is over."""
        row = campaign_board.get(conn, campaign_id)
        if row is None or row.completed_at is not None:
            return None
        with one_snapshot(conn):
            prepared = self._prepared(conn, row, now)
        return _simulated(prepared)

    def of_draft(self, conn: Conn, draft: Draft, now: datetime) -> StoredForecast:
        """Forecast a campaign with the accepted rows of an upload."""
        with one_snapshot(conn):
            settings = settings_board.in_force(conn, self._first)
            groups = [
                Waiting(one.group, len(one.numbers))
                for one in of_upload(conn, draft.upload_id)
            ]
            strata = self._strata(groups, draft.terms, settings, now)
            counted = self._dialability.of_upload(
                conn, draft.upload_id, draft.terms, now
            )
            suppressed = counted.never.get(Withheld.SUPPRESSED, 0)
            situation = self._situation(
                conn,
                _without(strata, suppressed),
                draft.terms,
                settings,
                now,
                cap=draft.cap or settings.default_cap,
                mode=draft.mode,
                budget=draft.budget,
            )
            prepared = _Prepared(
                situation=situation,
                wider_hours=self._wider(groups, situation, settings, suppressed),
                own=CampaignCounts(assistant_id=draft.assistant_id),
                talking=(),
                learned=self._what_is_learned(conn),
                occasion=Occasion.LAUNCH,
                past=Past(contacts=counted.contacts),
            )
        return _simulated(prepared)

    def _prepared(self, conn: Conn, row: CampaignRow, now: datetime) -> _Prepared:
        settings = settings_board.in_force(conn, self._first)
        waiting = waiting_contacts(conn, row.id, now)
        strata = self._strata(waiting, row.calling_terms, settings, now)
        own = counts_of(conn, row.id)
        made = Made(
            calls=own.calls,
            answered=sum(o.calls for o in own.outcomes if o.outcome in ANSWERED),
            human=own.human,
            goals=own.goals,
            spend=row.spend,
        )
        situation = self._situation(
            conn,
            strata,
            row.calling_terms,
            settings,
            now,
            cap=row.cap,
            mode=row.mode,
            budget=row.budget,
            campaign_id=row.id,
        )
        began = row.started_at or row.queued_at
        finished = row.ended + row.failed + row.canceled + row.timed_out
        situation = replace(situation, made=made)
        return _Prepared(
            situation=situation,
            wider_hours=self._wider(waiting, situation, settings),
            own=replace(
                own, assistant_id=row.assistant_id, list_id=row.redial_of or row.id
            ),
            talking=talking_seconds(conn, row.id, now),
            learned=self._what_is_learned(conn),
            occasion=Occasion.HALF_TIME if own.calls else Occasion.LAUNCH,
            past=Past(
                contacts=row.contacts,
                finished=finished,
                seconds=(now - began).total_seconds() if began else 0.0,
            ),
        )

    def _strata(
        self,
        waiting: list[Waiting],
        terms: CallingTerms,
        settings: SettingsValues,
        now: datetime,
    ) -> Strata:
        book = self._rule_book()
        return strata_of(
            waiting, terms, settings, book, now=now, request_limit=self._limit
        )

    def _wider(
        self,
        waiting: list[Waiting],
        situation: Situation,
        settings: SettingsValues,
        suppressed: int = 0,
    ) -> Situation | None:
        """Return the situation without the campaign's windows; None if it has none.

        The gate still decides: calls are made only when the calling rules allow them.
        """
        hours = situation.terms.calling_hours
        if not hours.windows:
            return None
        terms = replace(situation.terms, calling_hours=replace(hours, windows=()))
        strata = self._strata(waiting, terms, settings, situation.now)
        return replace(
            situation, terms=terms, strata=_without(strata, suppressed).strata
        )

    def _situation(
        self,
        conn: Conn,
        strata: Strata,
        terms: CallingTerms,
        settings: SettingsValues,
        now: datetime,
        *,
        cap: int,
        mode: DialMode,
        budget: Decimal | None,
        campaign_id: UUID | None = None,
    ) -> Situation:
        states = [str(state) for state in campaign_forecasts.DIALLED]
        slots = shared_slots(conn, campaign_id, cap, settings.global_cap, states)
        tick = settings.tick_seconds / 2
        return Situation(
            now=now,
            strata=strata.strata,
            terms=terms,
            slots=slots,
            slots_are_shared=slots < cap,
            per_second=float(settings.dials_per_second),
            mode=mode,
            refill_seconds=REFILL_SECONDS if settings.refill_immediately else tick,
            caps=settings.frequency_caps,
            budget=budget,
            daily_budget=settings.daily_budget,
            spent_today=spend.spent_on(conn, now.date())
            if settings.daily_budget is not None
            else ZERO,
            never=strata.never,
            waits=strata.waits,
        )

    def _what_is_learned(self, conn: Conn) -> _Learned:
        """Return the latest finished campaigns; they are read again when one is new."""
        position = campaign_forecasts.latest_position(conn)
        with self._lock:
            if position != self._learned.position:
                found = campaign_forecasts.learned(conn)
                self._learned = _Learned(
                    position,
                    [scores for scores, _ in found],
                    [counts for _, counts in found],
                )
            return self._learned


def _without(strata: Strata, suppressed: int) -> Strata:
    """Return the strata without suppressed contacts, taken evenly from all of them."""
    total = sum(one.fresh for one in strata.strata)
    if not suppressed or not total:
        return strata
    share = max(1 - suppressed / total, 0.0)
    return Strata(
        tuple(replace(one, fresh=round(one.fresh * share)) for one in strata.strata),
        {**strata.never, Withheld.SUPPRESSED: suppressed},
        strata.waits,
    )


def _simulated(prepared: _Prepared) -> StoredForecast:
    """Run the simulation. It loads numpy, which other processes do not need."""
    from domain.forecast.forecast import forecast  # noqa: PLC0415 - loads numpy
    from domain.forecast.learning.learned import learn  # noqa: PLC0415 - loads numpy

    scores = [one for own in reversed(prepared.learned.scores) for one in own]
    counts = [one for one in prepared.learned.counts if one.calls]
    learned = learn(counts, prepared.own, prepared.talking)
    made = forecast(
        prepared.situation,
        learned,
        seed=SEED,
        wider_hours=prepared.wider_hours,
        widened=corrections(scores, prepared.occasion),
    )
    return _stored(made, prepared, coverage_of(scores))


def _stored(
    made: "Forecast", prepared: _Prepared, coverage: float | None
) -> StoredForecast:
    last = next(iter(prepared.learned.counts), None)
    naive = naive_forecasts(prepared.past, prepared.situation.made, last)
    return StoredForecast(
        made_at=made.made_at,
        attempts_seen=made.attempts_seen,
        coverage=coverage,
        quantities=tuple(
            QuantityForecast(quantity, intervals, naive.get(quantity))
            for quantity, intervals in made.quantities.items()
        ),
        hours=made.hours,
        limits=tuple(Limit(code, share) for code, share in made.limits.items()),
        advice=made.advice,
        never=tuple(NeverCalled(*one) for one in made.never.items() if one[1]),
    )
