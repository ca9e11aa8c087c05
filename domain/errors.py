"""What forbids a command, in words that a person can act on."""

from uuid import UUID


class Refused(Exception):
    """A command that the past does not allow; the message says what to do."""


class Invalid(Refused):
    """An input is out of bounds; `fields` names each with what is wrong."""

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.fields = fields


class NotFound(Refused):
    """Nothing goes by that id."""

    def __init__(self, kind: str, id_: UUID | str) -> None:
        super().__init__(f"There is no {kind} {id_}.")


class WrongState(Refused):
    """The aggregate's state does not allow the command."""


class Conflict(Refused):
    """The same identity was used for something else before."""


class LastAdmin(Refused):
    """Nobody would be left who can let others in."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is the last admin: make somebody else one first.")


class InUse(Refused):
    """Something that is not finished depends on it."""


class AnotherProviderCall(Refused):
    """Our call is named by a second call at the provider: two may have rung."""

    def __init__(self, call_id: UUID, bound: str, other: str) -> None:
        super().__init__(f"Call {call_id} is {bound} at the provider, not {other}.")
        self.bound, self.other = bound, other


class MayNotBeRequested(Refused):
    """The call is over, placed, deferred, or its last outcome is unknown."""


class NotDeferred(Refused):
    """Only a deferred call can be claimed again."""
