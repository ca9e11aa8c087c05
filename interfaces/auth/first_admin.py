"""The first member of an installation, named by its configuration."""

from application.app import AutoLynx
from application.members import MemberService
from domain.member import Member
from domain.values import Role

CONFIGURATION = "configuration"
MOST = 10_000


def add_first_admin(
    app: AutoLynx, members: MemberService, email: str | None, *, known: bool
) -> None:
    """Add that admin where the allowlist is empty.

    `known` says that a reader sees members; where none does, the log is asked, for
    readers may be behind.
    """
    if email and not known and not _anybody(app, members):
        members.add(email, Role.ADMIN, by=CONFIGURATION)


def _anybody(app: AutoLynx, members: MemberService) -> bool:
    return any(members.member(email) for email in _ever_added(app))


def _ever_added(app: AutoLynx) -> list[str]:
    topics = [Member.Created.TOPIC]
    added = app.recorder.select_notifications(None, MOST, topics=topics)
    events = [app.mapper.to_domain_event(one) for one in added]
    return [event.email for event in events if isinstance(event, Member.Created)]
