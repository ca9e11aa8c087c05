"""A random history with one campaign, and the snapshot of it."""

from datetime import datetime
from random import Random

from domain.calls.call import Call
from domain.dial_view import CampaignView, Snapshot
from domain.gate.permit import Granted, Permit
from domain.values import Refusal, RefusalKind, RefusalScope
from projections import dial_snapshot
from projections.engine.runner import catch_up
from tests.projections.lives import Life
from tests.projections.store import Store

UNRUNG = "call.start.error-x"
FAULT = Refusal(RefusalKind.PLATFORM, None, "rule")
CREDIT = Refusal(RefusalKind.ACCOUNT, RefusalScope.ACCOUNT, "rule")
BAD_NUMBER = Refusal(RefusalKind.CONTACT, None, "rule")
FULL = Refusal(RefusalKind.CAPACITY, None, "rule")


PERMIT = Permit((), (), "", "", (), (), ())


def everybody_may_be_called(*_: object) -> Granted:
    return Granted(PERMIT)


class Scene:
    """A history with one campaign that is being dialled."""

    def __init__(self, store: Store, contacts: int = 5) -> None:
        self.store, self.life, self.stored = store, Life(Random(0)), 0
        self.campaign = self.life.open_campaign(contacts)
        self.life.start(self.campaign)

    @property
    def calls(self) -> list[Call]:
        return [call for calls in self.life.calls.values() for call in calls]

    def snapshot(self, now: datetime | None = None, most: int = 10) -> Snapshot:
        if new := self.life.events[self.stored :]:
            self.store.append(new)
            self.stored += len(new)
        catch_up(self.store.conn)
        return dial_snapshot.snapshot(
            self.store.conn, now or self.life.now, most, everybody_may_be_called
        )

    def view(self, now: datetime | None = None, most: int = 10) -> CampaignView:
        (view,) = self.snapshot(now, most).campaigns
        return view

    def record(self, call: Call) -> None:
        self.life.record(call)
