"""The variables of a call, which the texts of its assistant may contain.

Besides them, the provider gets the name of the contact as `NAME`.
"""

from collections.abc import Mapping

NAME, BUSINESS_NAME = "name", "business_name"


def call_variables(business_name: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return a contact's variables; a column named as BUSINESS_NAME goes before it."""
    return {BUSINESS_NAME: business_name, **variables}
