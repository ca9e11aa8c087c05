"""Paged lists in the form of Relay connections."""

from collections.abc import Callable
from typing import Self
from uuid import UUID

import strawberry

from domain.errors import NotFound
from interfaces.graphql.errors import bad_request
from projections.tables.pages import Page

LARGEST_PAGE = 100


@strawberry.type
class PageInfo:
    """Whether more follows, and the cursor to continue from."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge[T]:
    """One item of a page, and its cursor."""

    node: T
    cursor: str


@strawberry.type
class Connection[T]:
    """One page of a list."""

    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of[R](cls, page: Page[R], node_of: Callable[[R], T]) -> Self:
        """Build a page; `node_of` converts a row to an item."""
        nodes = [node_of(row) for row in page.nodes]
        return cls(
            edges=[
                Edge(node=node, cursor=cursor)
                for node, cursor in zip(nodes, page.cursors, strict=True)
            ],
            nodes=nodes,
            page_info=PageInfo(has_next_page=page.has_next, end_cursor=page.end_cursor),
            total_count=page.total,
        )


def page_size(first: int | None, default: int) -> int:
    """Return the page size; `default` for null. Raises BAD_REQUEST out of range."""
    size = default if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise bad_request(f"first must be from 1 to {LARGEST_PAGE}.")
    return size


def as_uuid(kind: str, text: str) -> UUID:
    """Parse an id. Raises NotFound for text that is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(kind, text[:100]) from None
