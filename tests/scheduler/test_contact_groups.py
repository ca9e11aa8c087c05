"""Contacts that are never called are withheld; contacts without a group get one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from application.calling_rules.loader import SHIPPED
from application.places.version import places_version
from domain.calls.deferrals import DeferralReason
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact import Contact
from domain.contacts.contact_list import ContactList
from domain.gate.decision import CallingHours, CallingWindow
from domain.gate.groups import ContactGroup
from domain.gate.permit import Wait
from domain.gate.places import Places, PlaceSource
from domain.gate.rules import WEEKDAYS, Window
from domain.outcomes import Withheld
from domain.settings import RulesMode
from domain.values import CallStatus, ContactStatus, WaitingCode
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from scheduler.maintenance.contact_groups import ContactGroups
from storage.process.places_progress import PlacesProgress
from tests.wiring import BY, NOON, Clock, Services

CONSENT = CallingTerms(require_consent=True)
ALL_DAY = CallingWindow(WEEKDAYS, Window(0, 24 * 60))
OWN_HOURS = CallingTerms(calling_hours=CallingHours(windows=(ALL_DAY,)))
UNKNOWN = ("+17295550101", "+17295550102")
"""Numbers of an area code that is not known."""


@pytest.fixture(autouse=True)
def present_data(services: Services) -> None:
    """Start with an installation in which no group is outdated."""
    progress = PlacesProgress(services.writing)
    begun = progress.of(places_version(), 0)
    progress.keep(places_version(), replace(begun, is_complete=True))


def run(services: Services) -> int:
    """Run passes until nothing is left; return how many had work."""
    work = ContactGroups(
        services.reading,
        group=services.grouping.group,
        withhold=services.group_withholding.withhold,
        progress=PlacesProgress(services.writing),
    )
    passes = 0
    while work.run(services.snapshot(1)):
        passes += 1
    services.settle()
    return passes


def contacts(services: Services, campaign_id: UUID) -> list[ContactRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def withheld(services: Services, campaign_id: UUID) -> list[Withheld | None]:
    return [one.withheld for one in contacts(services, campaign_id)]


def test_without_the_consent_that_a_campaign_requires_contacts_are_withheld(
    services: Services,
) -> None:
    campaign_id = services.campaign(3, terms=CONSENT)
    assert services.candidates(campaign_id) == ()
    assert run(services) == 1
    assert withheld(services, campaign_id) == [Withheld.NO_CONSENT] * 3
    board = services.board(campaign_id)
    assert (board.pending, board.canceled) == (0, 3)
    [contact, *_] = contacts(services, campaign_id)
    assert services.app.load(Contact, contact.id).withheld is Withheld.NO_CONSENT


def test_contacts_of_an_unknown_place_are_withheld_if_the_campaign_has_hours(
    services: Services,
) -> None:
    campaign_id = services.campaign(UNKNOWN, terms=OWN_HOURS)
    run(services)
    assert withheld(services, campaign_id) == [Withheld.PLACE_UNKNOWN] * 2


def test_contacts_of_an_unknown_place_are_called_if_no_hours_apply(
    services: Services,
) -> None:
    campaign_id = services.campaign(UNKNOWN)
    assert run(services) == 0
    assert len(services.candidates(campaign_id)) == 2


def test_a_deferred_call_is_withdrawn_with_its_contact(services: Services) -> None:
    campaign_id = services.campaign(2)
    [call_id] = services.claim(campaign_id, 1)
    services.calls.defer(call_id, reason=DeferralReason.NOT_NOW, until=NOON)
    require_consent(services, campaign_id)
    run(services)
    assert services.load_call(call_id).status is CallStatus.CANCELED
    assert withheld(services, campaign_id) == [Withheld.NO_CONSENT] * 2


def test_contacts_are_not_withheld_by_terms_that_have_changed_since_the_snapshot(
    services: Services,
) -> None:
    campaign_id = services.campaign(2, terms=CONSENT)
    seen = services.snapshot(1)
    require_consent(services, campaign_id, required=False)
    services.settle()
    work = ContactGroups(
        services.reading,
        group=services.grouping.group,
        withhold=services.group_withholding.withhold,
        progress=PlacesProgress(services.writing),
    )
    assert not work.run(seen)
    assert withheld(services, campaign_id) == [None, None]


def require_consent(
    services: Services, campaign_id: UUID, *, required: bool = True
) -> None:
    campaign = services.load_campaign(campaign_id)
    campaign.change(
        name=campaign.name,
        cap=campaign.cap,
        line_quiet_gating=campaign.line_quiet_gating,
        budget=campaign.budget,
        terms=replace(campaign.terms, require_consent=required),
        at=services.now(),
        by="ann@example.com",
    )
    services.app.append(campaign)
    services.settle()


def test_contacts_of_release_1_wait_until_they_have_a_group(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as release_1:
        release_1.setattr("application.contacts.list_import.grouped", lambda groups: ())
        campaign_id = services.campaign(3)
    [view] = services.snapshot().campaigns
    assert view.candidates == ()
    [group] = view.groups
    assert (group.group, group.fresh) == (None, 3)
    assert getattr(group.decision, "code", None) is WaitingCode.RULES_UNAVAILABLE
    assert run(services) == 1
    assert [one.places for one in contacts(services, campaign_id)] == [["US-DC"]] * 3
    assert len(services.candidates(campaign_id)) == 3
    [list_id] = {one.list_id for one in contacts(services, campaign_id)}
    assert services.topics(list_id)[-1] == "contacts_grouped"
    assert services.app.load(ContactList, list_id).closed


def test_a_claim_stores_the_group_and_the_request_obeys_it(services: Services) -> None:
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id, 1)
    call = services.load_call(call_id)
    assert call.group is not None
    assert call.group.places.codes == ("US-DC",)
    [contact] = contacts(services, campaign_id)
    assert (contact.status, contact.places) == (ContactStatus.QUEUED, ["US-DC"])


# --- Groups of earlier data about places ---------------------------------------------


def groups(services: Services, campaign_id: UUID) -> set[tuple[str, ...]]:
    """Return the time zones of the groups of the waiting contacts."""
    services.settle()
    views = {view.id: view for view in services.snapshot().campaigns}
    found = (one.group for one in views[campaign_id].groups)
    return {group.places.time_zones for group in found if group is not None}


def moved(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Let all numbers be in Chicago, as a new version of the data says."""
    places = Places(("US-IL",), ("America/Chicago",), PlaceSource.NUMBER)
    group = ContactGroup(places, has_consent=False)
    at = "projections.contacts.outdated_groups.group_of"
    monkeypatch.setattr(at, lambda *_: group)
    at = "application.contacts.contact_grouping.group_of"
    monkeypatch.setattr(at, lambda *_: group)
    at = "scheduler.maintenance.contact_groups.places_version"
    monkeypatch.setattr(at, lambda: version)


EASTERN, CENTRAL = ("America/New_York",), ("America/Chicago",)


def test_waiting_contacts_get_the_places_of_a_new_version_of_the_data(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = services.campaign(3), services.campaign(2, start=False)
    run(services)
    assert groups(services, first) == {EASTERN}
    moved(monkeypatch, "new")
    run(services)
    assert groups(services, first) == {CENTRAL}
    services.campaigns.start(second, by=BY)
    assert groups(services, second) == {CENTRAL}, "a campaign that was not started"
    lists = services.app.recorder.select_notifications(
        1, 1_000, topics=["contact_list.contacts_grouped"]
    )
    assert len(lists) == 2
    run(services)
    assert len(services.candidates(first)) == 3


def test_a_process_that_dies_meanwhile_is_continued_by_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(5)
    run(services)
    moved(monkeypatch, "new")
    monkeypatch.setattr("scheduler.maintenance.contact_groups.MOST", 2)
    one_pass = ContactGroups(
        services.reading,
        group=services.grouping.group,
        withhold=services.group_withholding.withhold,
        progress=PlacesProgress(services.writing),
    )
    one_pass.run(services.snapshot(1))
    assert groups(services, campaign_id) == {EASTERN, CENTRAL}
    run(services)
    assert groups(services, campaign_id) == {CENTRAL}


def test_contacts_imported_after_the_new_version_keep_their_groups(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.settle()
    position = services.app.recorder.max_notification_id() or 0
    assert not PlacesProgress(services.writing).of("new", position).is_complete
    campaign_id = services.campaign(3)
    moved(monkeypatch, "new")
    run(services)
    assert groups(services, campaign_id) == {EASTERN}


def test_changed_rules_apply_to_contacts_that_were_imported_before(
    services: Services, tmp_path: Path
) -> None:
    """A group names places only; the rules are those of the running process."""
    terms = {"calling_rules": RulesMode.ENFORCED}
    services.settings.amend(terms, by=BY)
    clock = services.now
    assert isinstance(clock, Clock)
    clock.time = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)
    campaign_id = services.campaign(2)
    assert len(services.candidates(campaign_id)) == 2
    (tmp_path / "own.toml").write_text(CLOSED_ON_MONDAYS)
    restarted = replace(services, rule_folders=(SHIPPED, tmp_path))
    assert restarted.candidates(campaign_id) == ()
    [group] = restarted.snapshot().campaigns[0].groups
    assert isinstance(group.decision, Wait)
    assert group.decision.code is WaitingCode.OUTSIDE_HOURS


CLOSED_ON_MONDAYS = """
[[rule]]
id = "own"
place = "US"
hours = { daily = ["08:00-21:00"], mon = [] }
source = "the board"
read_on = 2026-11-28
confidence = "H"
"""


def test_the_version_depends_on_data_and_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = places_version.__wrapped__()
    assert now == places_version()
    monkeypatch.setattr("application.places.version.version", lambda _name: "0")
    assert places_version.__wrapped__() != now
