"""Errors of commands that the domain refuses; each message says what to do."""

from uuid import UUID


class Refused(Exception):
    """Base class: the command is refused, and nothing was recorded."""


class Invalid(Refused):
    """An input is not valid; `fields` maps the name of each wrong one to its fault."""

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.fields = fields


class NotFound(Refused):
    """No object of this kind has this id."""

    def __init__(self, kind: str, id_: UUID | str) -> None:
        super().__init__(f"There is no {kind} {id_}.")


class WrongState(Refused):
    """The aggregate's state does not allow the command."""


class Conflict(Refused):
    """The id is already used for something else."""


class LastAdmin(Refused):
    """The command would leave the installation without an admin."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is the last admin: make another member admin first.")


class InUse(Refused):
    """It cannot be removed, because unfinished work uses it."""


class AnotherProviderCall(Refused):
    """The provider has a second call for one of ours, so two phones may have rung.

    `bound` is the provider's id that is recorded for the call, `other` the second one.
    """

    def __init__(self, call_id: UUID, bound: str, other: str) -> None:
        super().__init__(f"Call {call_id} is {bound} at the provider, not {other}.")
        self.bound, self.other = bound, other


class MayNotBeRequested(Refused):
    """The call is over, placed or deferred, or its request has no outcome yet."""


class NotDeferred(Refused):
    """The call cannot be claimed again, because it was not deferred."""


class NotPlanned(Refused):
    """The planned call cannot be claimed, because the plan has changed."""
