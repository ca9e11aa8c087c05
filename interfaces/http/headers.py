"""Reads single headers of a request."""

from starlette.types import Scope


def first_header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first value of the header with this lower-case name.

    Every request looks up several headers; Starlette's `Headers` takes ten times as
    long for each.
    """
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None
