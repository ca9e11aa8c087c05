"""The version of all that determines the places of a number."""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

LIBRARIES = ("phonenumbers", "tzdata", "zipcodes")
"""Libraries with data about numbers, time zones and postal codes."""


@cache
def places_version() -> str:
    """Return a digest of this package, its data, and the versions of LIBRARIES.

    With another version the same number may have other places.
    """
    found = hashlib.sha256()
    for name in LIBRARIES:
        found.update(f"{name} {version(name)}\n".encode())
    package = files("application.places")
    sources = [one for one in package.iterdir() if one.name.endswith(".py")]
    data = [*(package / "data").iterdir()]
    for file in sorted([*sources, *data], key=lambda one: one.name):
        found.update(file.name.encode() + b"\n" + file.read_bytes())
    return found.hexdigest()
