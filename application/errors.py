"""Errors that the application raises if the database refuses or fails."""

from eventsourcing.persistence import IntegrityError


class Failure(Exception):
    """The request cannot be carried out; the message is for the user who made it."""


class ReadModelBehind(Failure):
    """The read model is too far behind the log; trying again later is safe."""


class RoleForbids(Exception):
    """The member's role does not allow what the request asks for."""


class StoreUnavailable(Exception):
    """The database did not answer in time. A repetition of the request is safe."""


class VersionTooOld(StoreUnavailable):
    """The database was upgraded and refuses writes of this older version.

    A repetition does not help; the message says what to do.
    """


class StreamMoved(IntegrityError):
    """A stream does not have its expected version any more: decide again."""


class UnreadableList(Exception):
    """A suppression list is refused; the message names the line and what to do."""


class BrokenRules(Exception):
    """A file of rules cannot be used; the message names the file, row and reason."""
