"""Messages to clients when the database cannot be reached or refuses a write."""

from psycopg.errors import ReadOnlySqlTransaction

UNAVAILABLE = "The database is unavailable: try again."
READ_ONLY = (
    "The database is read-only at present, so nothing was stored. Try again once an"
    " administrator has made it writable."
)


def unavailable_message(error: BaseException) -> str:
    """Return the message for a client whose request failed with a database error."""
    return READ_ONLY if is_read_only(error) else UNAVAILABLE


def is_read_only(error: BaseException) -> bool:
    """Return whether the server refused a write as read-only (SQLSTATE 25006).

    This is the case on a standby and with `default_transaction_read_only`. The refusal
    may be the cause of `error`, or the cause of its cause.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ReadOnlySqlTransaction):
            return True
        cause = cause.__cause__
    return False
