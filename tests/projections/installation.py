"""What a history contains beside its campaigns: settings, members, registers."""

from datetime import timedelta
from decimal import Decimal

from domain.assistant import Assistant
from domain.calls.unmatched_message import UnmatchedMessage
from domain.member import Member
from domain.numbers.installation import Installation
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.numbers.suppression_lists import ListVersion, SuppressionLists, list_id_of
from domain.settings import Settings, SettingsValues
from domain.values import Role
from domain.webhook_endpoint import Secret, WebhookEndpoint
from tests.projections.lives import Life


def furnish(life: Life) -> Settings:
    """Create settings, members, assistants and a message about an unknown call.

    Returns the settings.
    """
    settings = Settings.create(**life.stamp())
    settings.change(
        values=SettingsValues(daily_budget=Decimal(9), retention_days=30),
        first=SettingsValues(),
        **life.stamp(),
    )
    settings.raise_daily_spend_alert(
        day=life.now.date(),
        alert="limit",
        spend=Decimal(9),
        budget=Decimal(9),
        **life.stamp(),
    )
    settings.allow_requests_again(**life.stamp())
    life.record(settings, *_people(life), *_assistants(life))
    stray = UnmatchedMessage.create(provider_call_id="stray", **life.stamp())
    stray.attach(call_id=life.id(), **life.stamp())
    life.record(stray)
    return settings


def _people(life: Life) -> list[Member]:
    people = [
        Member.add(email=f"{name}@example.com", role=Role.OPERATOR, **life.stamp())
        for name in ("ann", "bob", "cy")
    ]
    people[0].change_role(role=Role.ADMIN, **life.stamp())
    people[1].remove(**life.stamp())
    people[2].remove(**life.stamp())
    people[2].readmit(role=Role.AUDITOR, **life.stamp())
    return people


def _assistants(life: Life) -> list[Assistant]:
    made = [
        Assistant.create(
            provider_assistant_id=f"assistant-{number}",
            name=f"Assistant {number}",
            config={"model": {"provider": "openai"}, "number": number},
            **life.stamp(),
        )
        for number in range(3)
    ]
    made[0].change(name="Renamed", config={}, **life.stamp())
    made[1].archive(**life.stamp())
    made[2].archive(**life.stamp())
    made[2].restore(**life.stamp())
    return made


def register(life: Life, settings: Settings) -> None:
    """Create the installation's key, numbers, suppression lists and endpoints.

    Some of the events name the first campaign.
    """
    settings.report_unknown_reason("some-reason", **life.stamp())
    installation = Installation.create(key_digest="digest", **life.stamp())
    installation.record_earlier_calls(3, [life.campaigns[0].id], **life.stamp())
    life.record(settings, installation, *_access(life))
    _numbers(life)
    _suppression_lists(life)
    _endpoints(life)


def _access(life: Life) -> list[Member | Assistant]:
    """Record events that change no row: of sign-in links, tokens and choices."""
    member = Member.add(email="dee@example.com", role=Role.OPERATOR, **life.stamp())
    token, later = life.id(), life.now + timedelta(days=1)
    member.create_sign_in_link(expires_at=later, **life.stamp())
    member.create_token(token_id=token, expires_at=None, **life.stamp())
    member.revoke_token(token_id=token, **life.stamp())
    assistant = Assistant.create(
        provider_assistant_id="chosen", name="Chosen", config={}, **life.stamp()
    )
    assistant.choose(campaign_id=life.campaigns[0].id, **life.stamp())
    return [member, assistant]


def _numbers(life: Life) -> None:
    for number in range(3):
        one = Number.unrecorded(number_id_of(f"{number}"), life.now)
        call_id = life.id()
        one.request(call_id, **life.stamp())
        one.release(call_id, **life.stamp())
        one.suppress(
            source=life.random.choice(list(SuppressionSource)),
            reason=life.words(),
            phone=life.words(),
            **life.stamp(),
        )
        if number == 0:
            one.lift(reason=life.words(), **life.stamp())
        life.record(one)


def _suppression_lists(life: Life) -> None:
    lists = SuppressionLists.create(**life.stamp())
    for name in ("first", "second", "first"):
        version = ListVersion(
            list_id=list_id_of(name),
            version_id=life.id(),
            name=name,
            as_of=life.now.date(),
            max_age_days=life.random.choice((None, 31)),
            covers=("+1202",),
            purposes=(),
            numbers=life.random.randint(1, 9),
            blocks_digest="digest",
            sha256="digest",
        )
        lists.activate(version, **life.stamp())
    lists.remove(list_id_of("second"), **life.stamp())
    life.record(lists)


def _endpoints(life: Life) -> None:
    kept, given_up, removed = (_endpoint(life, name) for name in ("a", "b", "c"))
    kept.change(url="https://hooks.example.com/d", types=[], **life.stamp())
    kept.disable(**life.stamp())
    kept.enable(**life.stamp())
    kept.rotate(Secret(life.id(), "digest"), **life.stamp())
    kept.resend(life.id(), **life.stamp())
    given_up.give_up(failing_since=life.now, **life.stamp())
    removed.remove(**life.stamp())
    life.record(kept, given_up, removed)


def _endpoint(life: Life, name: str) -> WebhookEndpoint:
    return WebhookEndpoint.add(
        life.id(),
        url=f"https://hooks.example.com/{name}",
        types=["call.finished"],
        secret=Secret(life.id(), "digest"),
        **life.stamp(),
    )
