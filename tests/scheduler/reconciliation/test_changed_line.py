"""Calls of a campaign whose assistant and line are changed while it is paused."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from application.event_context import SCHEDULER
from application.ports import CallOrder, ProviderUnavailable
from domain.calls.deferrals import DeferralReason
from domain.dial_view import Phase
from domain.errors import InUse, Invalid, WrongState
from domain.values import CampaignState, PauseCause, RefusalScope, call_id_of
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from tests.fakes import an_order
from tests.scheduler.leading import Passes
from tests.scheduler.reconciliation.test_adopt import an_adoption
from tests.scheduler.watch import SENT, TIME_OUT, Watch
from tests.wiring import BY, Clock, Services

FORMER, NEW = DEFAULT_PHONE_NUMBER_ID, "line-2"


@pytest.fixture
def watch(services: Services) -> Watch:
    return Watch(services)


@pytest.fixture
def passes(services: Services) -> Iterator[Passes]:
    made = Passes(services)
    yield made
    made.deps.dispatch.stop()


def assistant(services: Services, seconds: int) -> UUID:
    """Create another assistant whose calls take at most so many seconds."""
    config = {"maxDurationSeconds": seconds}
    id_, _ = services.assistants.create("Ann", config, by=BY)
    return id_


def move(
    services: Services,
    campaign_id: UUID,
    *,
    phone_number_id: str | None = None,
    assistant_id: UUID | None = None,
) -> None:
    """Pause the campaign, change its line or assistant, and resume it."""
    services.campaigns.pause(campaign_id, by=BY)
    change = CampaignChange(phone_number_id=phone_number_id, assistant_id=assistant_id)
    services.campaigns.change(campaign_id, change, by=BY)
    services.campaigns.resume(campaign_id, by=BY)
    services.settle()


def missing_call(services: Services, campaign_id: UUID) -> CallOrder:
    """Show a call on the former line that our restored log lacks."""
    contact_id = services.candidates(campaign_id)[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=campaign_id,
        contact_id=contact_id,
        phone_number_id=FORMER,
    )
    services.provider.show(order, "p1")
    return order


def test_a_call_requested_before_the_change_is_found_on_its_former_line(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    move(services, order.campaign_id, phone_number_id=NEW)
    services.provider.show(order, "p1")
    watch.look()
    assert services.load_call(order.call_id).provider_call_id == "p1"


def test_a_request_without_an_answer_is_found_on_its_former_line(
    watch: Watch, services: Services
) -> None:
    """The process died after the request, and the line was changed then."""
    order = watch.requested()
    services.provider.show(order, "p1")
    move(services, order.campaign_id, phone_number_id=NEW)
    watch.look(4, every=SENT + TIME_OUT)
    assert services.load_call(order.call_id).provider_call_id == "p1"


def test_the_former_line_without_an_answer_keeps_its_calls_open(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    move(services, order.campaign_id, phone_number_id=NEW)
    services.provider.lines_down[FORMER] = ProviderUnavailable("500: try again")
    watch.look(9, every=timedelta(minutes=1))
    assert watch.phase(order.call_id) is Phase.UNKNOWN


def test_a_claim_from_before_the_change_is_requested_from_the_new_line(
    watch: Watch, services: Services
) -> None:
    call_id = watch.claimed()
    ann = assistant(services, 60)
    campaign_id = services.load_call(call_id).campaign_id
    move(services, campaign_id, phone_number_id=NEW, assistant_id=ann)
    order = watch.request(call_id)
    assert order.phone_number_id == NEW
    caller = services.load_campaign(campaign_id).caller
    assert caller.assistant_id == ann
    assert order.provider_assistant_id == caller.provider_assistant_id
    services.provider.show(order, "p1")
    watch.look()
    assert services.load_call(call_id).provider_call_id == "p1"


def test_a_deferred_call_is_requested_again_from_the_new_line(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    services.calls.defer(
        order.call_id, reason=DeferralReason.NOT_NOW, until=services.now()
    )
    move(services, order.campaign_id, phone_number_id=NEW)
    assert services.claim_again(order.call_id).calls
    assert watch.request(order.call_id).phone_number_id == NEW
    [call] = services.snapshot().calls
    assert call.phone_number_id == NEW


def test_a_call_keeps_the_longest_duration_of_the_assistant_that_makes_it(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    move(services, order.campaign_id, assistant_id=assistant(services, 60))
    [call] = services.snapshot().calls
    assert call.longest_call_seconds == 600
    [view] = services.snapshot().campaigns
    assert view.longest_call_seconds == 60


def test_the_next_contacts_are_called_from_the_new_line(
    services: Services, passes: Passes
) -> None:
    campaign_id = services.campaign(2)
    move(services, campaign_id, phone_number_id=NEW)
    passes.run()
    assert {order.phone_number_id for order in services.provider.orders} == {NEW}
    assert len(services.provider.orders) == 2


def test_a_missing_call_on_the_former_line_is_adopted(services: Services) -> None:
    campaign_id = services.campaign(2)
    move(services, campaign_id, phone_number_id=NEW)
    order = missing_call(services, campaign_id)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]
    assert services.open_lines().lines == {FORMER, NEW}


def test_a_line_returns_to_the_former_one(services: Services) -> None:
    campaign_id = services.campaign(1)
    move(services, campaign_id, phone_number_id=NEW)
    move(services, campaign_id, phone_number_id=FORMER)
    assert services.board(campaign_id).phone_number_id == FORMER
    assert services.open_lines().lines == {FORMER, NEW}


@pytest.mark.parametrize("state", ["QUEUED", "DIALING", "COMPLETED"])
def test_a_change_in_another_state_is_refused_and_stores_nothing(
    watch: Watch, services: Services, state: str
) -> None:
    order = watch.requested()
    if state != "QUEUED":
        watch.placed(order)
    campaign_id = order.campaign_id
    if state == "COMPLETED":
        services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    ann = assistant(services, 60)
    last = services.app.recorder.max_notification_id()
    for change in (
        CampaignChange(phone_number_id=NEW),
        CampaignChange(assistant_id=ann, cap=2),
    ):
        with pytest.raises(WrongState):
            services.campaigns.change(campaign_id, change, by=BY)
    assert services.app.recorder.max_notification_id() == last


def test_the_new_assistant_is_in_use_and_the_former_one_is_not(
    services: Services,
) -> None:
    campaign_id = services.campaign(1, start=False)
    former, ann = services.board(campaign_id).assistant_id, assistant(services, 60)
    change = CampaignChange(assistant_id=ann)
    services.campaigns.change(campaign_id, change, by=BY)
    with pytest.raises(InUse):
        services.assistants.archive(ann, by=BY)
    assert services.topics(ann) == ["created", "chosen"]
    services.assistants.archive(former, by=BY)
    assert services.topics(former)[-1] == "archived"


def test_an_archived_or_unknown_assistant_is_refused(services: Services) -> None:
    campaign_id, ann = services.campaign(1, start=False), assistant(services, 60)
    services.assistants.archive(ann, by=BY)
    with pytest.raises(WrongState):
        services.campaigns.change(campaign_id, CampaignChange(assistant_id=ann), by=BY)
    unknown = CampaignChange(assistant_id=UUID(int=1))
    with pytest.raises(Invalid):
        services.campaigns.change(campaign_id, unknown, by=BY)
    row = services.board(campaign_id)
    assert (row.state, row.assistant_id == ann) == (CampaignState.CREATED, False)


def paused_for_its_line(services: Services, campaign_id: UUID) -> UUID:
    """Pause the campaign because the provider refuses its line."""
    services.campaigns.pause(
        campaign_id,
        by=SCHEDULER,
        reason="404: no such line",
        cause=PauseCause.ACCOUNT,
        scope=RefusalScope.LINE,
    )
    return campaign_id


def shared_refusal(services: Services, campaign_id: UUID) -> str | None:
    views = {view.id: view for view in services.snapshot().campaigns}
    return views[campaign_id].account_refusal


def test_the_refusal_of_a_line_concerns_campaigns_on_that_line_only(
    services: Services,
) -> None:
    refused, same = services.campaign(1), services.campaign(["+12025550188"])
    moved = services.campaign(["+12025550189"], phone_number_id=NEW)
    assert isinstance(services.now, Clock)
    services.now.pass_(seconds=1)
    paused_for_its_line(services, refused)
    assert shared_refusal(services, same) == "404: no such line"
    assert shared_refusal(services, moved) is None
    new_line = CampaignChange(phone_number_id=NEW)
    services.campaigns.change(refused, new_line, by=BY)
    assert shared_refusal(services, moved) is None, "the refusal is of the former line"
