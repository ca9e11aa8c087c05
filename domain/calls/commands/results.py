"""The results of a conversation: its disposition, and a callback that was asked for."""

from datetime import datetime
from uuid import UUID

from domain.calls.call_state import CallState
from domain.calls.callbacks import Obstacle
from domain.calls.dispositions import replaces
from domain.calls.events import results as events
from domain.outcomes import Disposition, DispositionSource
from domain.values import Evidence


class ResultCommands(CallState):
    """Commands that record what was agreed with the contact, or found afterwards."""

    def request_callback(
        self,
        *,
        due_at: datetime,
        time_zone: str,
        source: DispositionSource,
        at: datetime,
        by: str,
    ) -> None:
        """Record the time for which the contact asked; the last one counts.

        A time from the outputs of the analysis does not replace one that a tool agreed
        with the contact during the call.
        """
        known = (self.callback_at, self.callback_source)
        if source.may_replace(self.callback_source) and (due_at, source) != known:
            fields = {"due_at": due_at, "time_zone": time_zone, "source": source}
            self._record(events.CallbackRequested, at, by, **fields)

    def withdraw_callback(
        self, source: DispositionSource, *, at: datetime, by: str
    ) -> None:
        """Drop the time for which the contact asked, if it is known from `source`."""
        if self.callback_at is not None and self.callback_source is source:
            self._record(events.CallbackWithdrawn, at, by, source=source)

    def ignore_callback(
        self, obstacle: Obstacle, source: DispositionSource, *, at: datetime, by: str
    ) -> None:
        """Record why no callback follows from a time for which the contact asked."""
        fields = {"obstacle": obstacle, "source": source}
        self._record(events.CallbackIgnored, at, by, **fields)

    def set_disposition(
        self,
        disposition: Disposition | None,
        source: DispositionSource,
        *,
        at: datetime,
        by: str,
        evidence: Evidence | None = None,
    ) -> None:
        """Record the business result of the call, unless a better source named one."""
        old = self.disposition
        if replaces(disposition, source, old, self.disposition_source):
            self._record(
                events.DispositionSet,
                at,
                by,
                disposition=disposition,
                disposition_was=old,
                source=source,
                evidence=evidence,
            )

    def set_disposition_of_outputs(
        self,
        disposition: Disposition | None,
        *,
        message_id: UUID,
        at: datetime,
        by: str,
    ) -> None:
        """Record what the outputs in the stored report `message_id` mean.

        Only the best report so far counts, so the order of the reports does not matter.
        """
        is_new = disposition is not None or self.disposition is not None
        if message_id == self.known.message_id and is_new:
            source = DispositionSource.OUTPUT
            self.set_disposition(disposition, source, at=at, by=by)
