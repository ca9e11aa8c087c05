"""Adds the first admin, whom the configuration names."""

from application.app import AutoLynx
from application.members.members import MemberService
from domain.member import Member
from domain.values import Role

CONFIGURATION = "configuration"
MOST = 10_000


def add_first_admin(
    app: AutoLynx, members: MemberService, email: str | None, *, known: bool
) -> None:
    """Add the admin if the allowlist is empty.

    `known` is whether the read model has members. If it has none, the log is checked
    too, because the read model may lag.
    """
    if email and not known and not _has_members(app, members):
        members.add(email, Role.ADMIN, by=CONFIGURATION)


def _has_members(app: AutoLynx, members: MemberService) -> bool:
    return any(members.member(email) for email in _ever_added(app))


def _ever_added(app: AutoLynx) -> list[str]:
    topics = [Member.Created.TOPIC]
    added = app.recorder.select_notifications(None, MOST, topics=topics)
    events = [app.mapper.to_domain_event(one) for one in added]
    return [event.email for event in events if isinstance(event, Member.Created)]
