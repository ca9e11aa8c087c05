"""The dashboard's GraphQL operations, the only ones that browser sessions may send."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    Visitor,
    parse,
    print_ast,
    strip_ignored_characters,
    visit,
)

OPERATIONS = Path(__file__).with_name("operations")

type Fragments = dict[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Document:
    """One operation with the fragments it needs; `id` is the digest of `text`."""

    name: str
    kind: str
    text: str

    @property
    def id(self) -> str:
        """The id by which the dashboard sends the operation."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"


@cache
def read_documents(folder: Path = OPERATIONS) -> tuple[Document, ...]:
    """Read every operation of the folder, in the order of file names, only once."""
    source = read_source(folder)
    return tuple(_document(operation, source) for operation in operations_of(source))


def texts_by_id(documents: tuple[Document, ...]) -> dict[str, str]:
    """Return the texts of the operations by document id."""
    return {document.id: document.text for document in documents}


def read_source(folder: Path = OPERATIONS) -> DocumentNode:
    """Read all files of the folder as one document."""
    texts = (file.read_text("utf-8") for file in sorted(folder.glob("*.graphql")))
    return parse("\n".join(texts), no_location=True)


def operations_of(source: DocumentNode) -> Iterator[OperationDefinitionNode]:
    """Yield the operations that a parsed source defines."""
    for node in source.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield node


def fragments_of(source: DocumentNode) -> Fragments:
    """Return the fragments that a parsed source defines, by name."""
    return {
        node.name.value: node
        for node in source.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def name_of(operation: OperationDefinitionNode) -> str:
    """Return an operation's name; anonymous operations are a programming error."""
    assert operation.name is not None, "Every operation of the dashboard has a name."
    return operation.name.value


def _document(operation: OperationDefinitionNode, source: DocumentNode) -> Document:
    needed = _needed(operation, fragments_of(source))
    text = strip_ignored_characters("\n".join(map(print_ast, (operation, *needed))))
    return Document(name_of(operation), operation.operation.value, text)


def _needed(node: Node, fragments: Fragments) -> list[FragmentDefinitionNode]:
    """List the fragments that `node` spreads, and theirs, each once."""
    found: Fragments = {}
    waiting = _spread(node)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = fragments[name]
            waiting += _spread(fragments[name])
    return list(found.values())


def _spread(node: Node) -> list[str]:
    names = list[str]()

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: Any) -> None:
            names.append(spread.name.value)

    visit(node, Spreads())
    return names
