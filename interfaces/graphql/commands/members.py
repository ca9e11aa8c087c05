"""Mutations of members, the people on the allowlist."""

from collections.abc import Callable

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, mutation
from interfaces.graphql.types.enums import Role
from interfaces.graphql.types.members import Member, MemberResult


@strawberry.type
class MemberCommands:
    """Mutations of members."""

    @mutation(ADMINS, "Adds a member, or changes the role of an existing one.")
    async def add_member(self, info: Info, email: str, role: Role) -> MemberResult:
        """Allow the owner of an e-mail address to sign in with this role."""
        add = info.context.services.members.add
        return await _after(info, email, lambda by: add(email, role, by=by))

    @mutation(ADMINS, "The last admin cannot lose that role.")
    async def change_member_role(
        self, info: Info, email: str, role: Role
    ) -> MemberResult:
        """Change a member's role; open sockets of the member are closed."""
        change = info.context.services.members.change_role
        return await _after(info, email, lambda by: change(email, role, by=by))

    @mutation(
        ADMINS, "Ends the member's access at once. The last admin cannot be removed."
    )
    async def remove_member(self, info: Info, email: str) -> MemberResult:
        """End a member's sessions, tokens and sockets."""
        remove = info.context.services.members.remove
        return await _after(info, email, lambda by: remove(email, by=by))


async def _after(
    info: Info, email: str, command: Callable[[str], int | None]
) -> Member:
    """Run a command; return the member from its events, as a removed one was."""
    backend = info.context.backend
    position = await backend.run_command(command, info.context.viewer.email)
    await backend.is_visible(position)
    return Member.of(
        await backend.run_reader(backend.services.members.record_of, email)
    )
