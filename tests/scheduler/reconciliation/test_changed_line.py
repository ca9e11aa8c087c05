"""Calls of a campaign whose assistant and line are changed while it is paused."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from application.campaigns import CampaignChange
from application.event_context import SCHEDULER
from application.ports import CallOrder, ProviderUnavailable
from domain.dial_view import Phase
from domain.errors import InUse, Invalid, WrongState
from domain.values import CampaignState, PauseCause, RefusalScope, call_id_of
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from tests.fakes import an_order
from tests.scheduler.leading import Passes
from tests.scheduler.reconciliation.test_adopt import an_adoption
from tests.scheduler.watch import SENT, TIME_OUT, Watch
from tests.wiring import BY, Clock, House

FORMER, NEW = DEFAULT_PHONE_NUMBER_ID, "line-2"


@pytest.fixture
def watch(house: House) -> Watch:
    return Watch(house)


@pytest.fixture
def passes(house: House) -> Iterator[Passes]:
    made = Passes(house)
    yield made
    made.deps.dispatch.stop()


def assistant(house: House, seconds: int) -> UUID:
    """Create another assistant whose calls take at most so many seconds."""
    config = {"maxDurationSeconds": seconds}
    id_, _ = house.assistants.create("Ann", config, by=BY)
    return id_


def move(
    house: House,
    campaign_id: UUID,
    *,
    phone_number_id: str | None = None,
    assistant_id: UUID | None = None,
) -> None:
    """Pause the campaign, change its line or assistant, and resume it."""
    house.campaigns.pause(campaign_id, by=BY)
    change = CampaignChange(phone_number_id=phone_number_id, assistant_id=assistant_id)
    house.campaigns.change(campaign_id, change, by=BY)
    house.campaigns.resume(campaign_id, by=BY)
    house.settle()


def missing_call(house: House, campaign_id: UUID) -> CallOrder:
    """Show a call on the former line that our restored log lacks."""
    contact_id = house.candidates(campaign_id)[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=campaign_id,
        contact_id=contact_id,
        phone_number_id=FORMER,
    )
    house.provider.show(order, "p1")
    return order


def test_a_call_requested_before_the_change_is_found_on_its_former_line(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    move(house, order.campaign_id, phone_number_id=NEW)
    house.provider.show(order, "p1")
    watch.look()
    assert house.load_call(order.call_id).provider_call_id == "p1"


def test_a_request_without_an_answer_is_found_on_its_former_line(
    watch: Watch, house: House
) -> None:
    """The process died after the request, and the line was changed then."""
    order = watch.requested()
    house.provider.show(order, "p1")
    move(house, order.campaign_id, phone_number_id=NEW)
    watch.look(4, every=SENT + TIME_OUT)
    assert house.load_call(order.call_id).provider_call_id == "p1"


def test_the_former_line_without_an_answer_keeps_its_calls_open(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    move(house, order.campaign_id, phone_number_id=NEW)
    house.provider.lines_down[FORMER] = ProviderUnavailable("500: try again")
    watch.look(9, every=timedelta(minutes=1))
    assert watch.phase(order.call_id) is Phase.UNKNOWN


def test_a_claim_from_before_the_change_is_requested_from_the_new_line(
    watch: Watch, house: House
) -> None:
    call_id = watch.claimed()
    ann = assistant(house, 60)
    campaign_id = house.load_call(call_id).campaign_id
    move(house, campaign_id, phone_number_id=NEW, assistant_id=ann)
    order = watch.request(call_id)
    assert order.phone_number_id == NEW
    caller = house.load_campaign(campaign_id).caller
    assert caller.assistant_id == ann
    assert order.provider_assistant_id == caller.provider_assistant_id
    house.provider.show(order, "p1")
    watch.look()
    assert house.load_call(call_id).provider_call_id == "p1"


def test_a_deferred_call_is_requested_again_from_the_new_line(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    house.calls.defer(order.call_id, reason="any", until=house.now())
    move(house, order.campaign_id, phone_number_id=NEW)
    assert house.claim_again(order.call_id).calls
    assert watch.request(order.call_id).phone_number_id == NEW
    [call] = house.snapshot().calls
    assert call.phone_number_id == NEW


def test_a_call_keeps_the_longest_duration_of_the_assistant_that_makes_it(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    move(house, order.campaign_id, assistant_id=assistant(house, 60))
    [call] = house.snapshot().calls
    assert call.longest_call_seconds == 600
    [view] = house.snapshot().campaigns
    assert view.longest_call_seconds == 60


def test_the_next_contacts_are_called_from_the_new_line(
    house: House, passes: Passes
) -> None:
    campaign_id = house.campaign(2)
    move(house, campaign_id, phone_number_id=NEW)
    passes.run()
    assert {order.phone_number_id for order in house.provider.orders} == {NEW}
    assert len(house.provider.orders) == 2


def test_a_missing_call_on_the_former_line_is_adopted(house: House) -> None:
    campaign_id = house.campaign(2)
    move(house, campaign_id, phone_number_id=NEW)
    order = missing_call(house, campaign_id)
    an_adoption(house).run(house.snapshot())
    assert house.topics(order.call_id) == ["created", "placed"]
    assert house.open_lines().lines == {FORMER, NEW}


def test_a_line_returns_to_the_former_one(house: House) -> None:
    campaign_id = house.campaign(1)
    move(house, campaign_id, phone_number_id=NEW)
    move(house, campaign_id, phone_number_id=FORMER)
    assert house.board(campaign_id).phone_number_id == FORMER
    assert house.open_lines().lines == {FORMER, NEW}


@pytest.mark.parametrize("state", ["QUEUED", "DIALING", "COMPLETED"])
def test_a_change_in_another_state_is_refused_and_stores_nothing(
    watch: Watch, house: House, state: str
) -> None:
    order = watch.requested()
    if state != "QUEUED":
        watch.placed(order)
    campaign_id = order.campaign_id
    if state == "COMPLETED":
        house.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    ann = assistant(house, 60)
    last = house.app.recorder.max_notification_id()
    for change in (
        CampaignChange(phone_number_id=NEW),
        CampaignChange(assistant_id=ann, cap=2),
    ):
        with pytest.raises(WrongState):
            house.campaigns.change(campaign_id, change, by=BY)
    assert house.app.recorder.max_notification_id() == last


def test_the_new_assistant_is_in_use_and_the_former_one_is_not(house: House) -> None:
    campaign_id = house.campaign(1, start=False)
    former, ann = house.board(campaign_id).assistant_id, assistant(house, 60)
    change = CampaignChange(assistant_id=ann)
    house.campaigns.change(campaign_id, change, by=BY)
    with pytest.raises(InUse):
        house.assistants.archive(ann, by=BY)
    assert house.topics(ann) == ["created", "chosen"]
    house.assistants.archive(former, by=BY)
    assert house.topics(former)[-1] == "archived"


def test_an_archived_or_unknown_assistant_is_refused(house: House) -> None:
    campaign_id, ann = house.campaign(1, start=False), assistant(house, 60)
    house.assistants.archive(ann, by=BY)
    with pytest.raises(WrongState):
        house.campaigns.change(campaign_id, CampaignChange(assistant_id=ann), by=BY)
    unknown = CampaignChange(assistant_id=UUID(int=1))
    with pytest.raises(Invalid):
        house.campaigns.change(campaign_id, unknown, by=BY)
    row = house.board(campaign_id)
    assert (row.state, row.assistant_id == ann) == (CampaignState.CREATED, False)


def paused_for_its_line(house: House, campaign_id: UUID) -> UUID:
    """Pause the campaign because the provider refuses its line."""
    house.campaigns.pause(
        campaign_id,
        by=SCHEDULER,
        reason="404: no such line",
        cause=PauseCause.ACCOUNT,
        scope=RefusalScope.LINE,
    )
    return campaign_id


def shared_refusal(house: House, campaign_id: UUID) -> str | None:
    views = {view.id: view for view in house.snapshot().campaigns}
    return views[campaign_id].account_refusal


def test_the_refusal_of_a_line_concerns_campaigns_on_that_line_only(
    house: House,
) -> None:
    refused, same = house.campaign(1), house.campaign(["+12025550188"])
    moved = house.campaign(["+12025550189"], phone_number_id=NEW)
    assert isinstance(house.now, Clock)
    house.now.pass_(seconds=1)
    paused_for_its_line(house, refused)
    assert shared_refusal(house, same) == "404: no such line"
    assert shared_refusal(house, moved) is None
    new_line = CampaignChange(phone_number_id=NEW)
    house.campaigns.change(refused, new_line, by=BY)
    assert shared_refusal(house, moved) is None, "the refusal is of the former line"
