"""Names the span of a request after its operation; over HTTP all are one POST."""

from collections.abc import Iterator

from opentelemetry.trace import get_current_span
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType


class Traced(SchemaExtension):
    """Names the current OpenTelemetry span after the operation."""

    def on_execute(self) -> Iterator[None]:
        """Rename the span of the route; the operations of a socket share one span."""
        execution = self.execution_context
        if execution.operation_type is not OperationType.SUBSCRIPTION:
            name = execution.operation_name or "unnamed"
            span = get_current_span()
            span.update_name(f"graphql {name}")
            span.set_attribute("graphql.operation.name", name)
        yield
