"""Refused calls and requests of a campaign, as the snapshot counts them."""

from datetime import datetime, timedelta

from domain.calls.call import Call
from domain.values import (
    PauseCause,
    Refusal,
)
from tests.projections.dialing.dial_scene import BAD_NUMBER, FAULT, FULL, UNRUNG, Scene


def end(
    scene: Scene,
    call: Call,
    reason: str,
    at: datetime | None = None,
    refusal: Refusal | None = FAULT,
) -> None:
    stamp = scene.life.stamp()
    call.end(reason=reason, ended_at=at, evidence=None, refusal=refusal, **stamp)
    scene.record(call)


def failures(scene: Scene) -> tuple[int, str | None]:
    view = scene.view()
    return view.start_failures, view.start_failure


def test_refused_calls_in_a_row_are_counted_until_one_rings(
    scene: Scene,
) -> None:
    scene.life.claim(scene.campaign, 5)
    first, second, third, fourth, fifth = scene.calls
    end(scene, first, UNRUNG)
    end(scene, second, "call.start.error-y")
    assert failures(scene) == (2, "call.start.error-y")
    end(scene, second, "call.start.error-y", scene.life.now)
    assert failures(scene) == (2, "call.start.error-y"), "it only tells when"
    third.ring(ringing_at=scene.life.now, evidence=None, **scene.life.stamp())
    scene.record(third)
    assert failures(scene)[0] == 0
    end(scene, fourth, UNRUNG)
    assert failures(scene) == (1, UNRUNG)
    end(scene, fifth, "customer-busy", refusal=None)
    assert failures(scene)[0] == 0


def test_a_contact_refused_again_is_counted_once(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    (call,) = scene.calls
    end(scene, call, UNRUNG)
    again = Call.create(
        campaign_id=call.campaign_id,
        contact_id=call.contact_id,
        attempt=2,
        claim_id=call.id,
        batch=None,
        previous=call,
        **scene.life.stamp(),
    )
    scene.record(again)
    end(scene, again, UNRUNG)
    assert failures(scene) == (1, UNRUNG)


def test_a_capacity_refusal_is_shown_but_not_counted(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    end(scene, scene.calls[0], UNRUNG, refusal=FULL)
    view = scene.view()
    assert (view.start_failures, view.deferred) == (0, 1)
    contact = scene.calls[0].contact_id
    assert contact not in {one.contact_id for one in view.candidates}
    assert view.capacity_refused_at is not None
    assert view.next_due_at == view.capacity_refused_at + timedelta(seconds=1)


def test_refused_requests_are_counted_once_for_each_contact(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 3)
    for call, refusal in zip(scene.calls, (FAULT, BAD_NUMBER, FULL), strict=True):
        for _ in range(1 + (refusal is FAULT)):
            if call.deferred:
                call.requeue(claim_id=call.id, batch=None, **scene.life.stamp())
            call.request(dial_before=scene.life.now, **scene.life.stamp())
            words, until = scene.life.words(), scene.life.now
            call.refuse(refusal, explanation=words, until=until, **scene.life.stamp())
        scene.record(call)
    assert failures(scene)[0] == 2


def test_a_resume_resets_the_count_of_refusals(scene: Scene) -> None:
    scene.life.claim(scene.campaign, 1)
    end(scene, scene.calls[0], UNRUNG)
    scene.campaign.pause(cause=PauseCause.PERSON, **scene.life.stamp())
    scene.campaign.resume(**scene.life.stamp())
    scene.life.record(scene.campaign)
    assert failures(scene)[0] == 0
