"""The parts of the GraphQL contract that are not served yet.

`schema.graphql` is the contract. `not_built_yet.txt` has one line for each breaking
change from the contract to the schema that is served, sorted. After building a part of
the contract, update the list: `python -m tests.contracts.not_built_yet`.
"""

from pathlib import Path

from graphql import build_schema, find_breaking_changes

from interfaces.graphql.schema import sdl

CONTRACT = Path(__file__).with_name("schema.graphql")
LISTED = Path(__file__).with_name("not_built_yet.txt")


def missing_parts(contract: str, served: str) -> list[str]:
    """Describe each breaking change from the contract to the served SDL, sorted."""
    changes = find_breaking_changes(build_schema(contract), build_schema(served))
    return sorted({change.description for change in changes})


if __name__ == "__main__":
    missing = missing_parts(CONTRACT.read_text("utf-8"), sdl())
    LISTED.write_text("".join(f"{part}\n" for part in missing), "utf-8")
