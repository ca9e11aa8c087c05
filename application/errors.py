"""What the application tells its callers when the store says no."""

from eventsourcing.persistence import IntegrityError


class Failure(Exception):
    """What was asked for cannot be done; the message is for whoever asked."""


class StoreUnavailable(Exception):
    """Nothing could be stored or read in the time allowed; trying again is safe."""


class VersionTooOld(StoreUnavailable):
    """The database was upgraded and refuses writes of this older version.

    Trying again does not help; the message says what to do.
    """


class StreamMoved(IntegrityError):
    """A stream that the decision rests on is not at the version that was read."""
