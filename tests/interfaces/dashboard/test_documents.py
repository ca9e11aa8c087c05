"""The dashboard's documents are self-contained and identified by their digest."""

import hashlib
from pathlib import Path

import pytest

from interfaces.dashboard.documents import (
    read_documents,
    texts_by_id,
)

SOURCE = """
fragment Inner on Cat { name }
fragment Outer on Cat { id ...Inner friend { ...Inner } }
query One { cat { ...Outer } }
query Two { cat { id } }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cats.graphql").write_text(SOURCE)
    return tmp_path


def test_a_document_includes_each_needed_fragment_once(folder: Path) -> None:
    one, two = read_documents(folder)
    assert one.text.count("fragment Outer") == one.text.count("fragment Inner") == 1
    assert "fragment" not in two.text


def test_a_document_id_is_the_digest_of_its_text(folder: Path) -> None:
    one, two = read_documents(folder)
    assert one.id == f"sha256:{hashlib.sha256(one.text.encode()).hexdigest()}"
    assert texts_by_id((one, two)) == {one.id: one.text, two.id: two.text}


def test_no_two_operations_share_a_name() -> None:
    names = [document.name for document in read_documents()]
    assert len(names) == len(set(names)) > 30
