"""The dashboard's operations are valid against the served schema."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from interfaces.dashboard.documents import Document, read_documents

SCHEMA = Path(__file__).parents[3] / "interfaces/graphql/schema.graphql"


@pytest.mark.parametrize("document", read_documents(), ids=lambda one: one.name)
def test_every_operation_of_the_dashboard_is_valid_against_the_schema(
    document: Document,
) -> None:
    schema = build_schema(SCHEMA.read_text("utf-8"))
    problems = validate(schema, parse(document.text))
    assert [problem.message for problem in problems] == []
