"""The register of suppressed numbers: add, lift and look up."""

from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.contact_streams import find_number
from application.contacts.phone_cell import InvalidPhone
from application.event_context import EventContext
from application.installation_key import InstallationKey
from domain.errors import Invalid, NotFound
from domain.numbers.number import Number, SuppressionSource, number_id_of

LONGEST_REASON = 1_000


class NumberService:
    """Commands of members on the register."""

    def __init__(
        self, app: AutoLynx, context: EventContext, key: InstallationKey
    ) -> None:
        self._app, self._context, self._key = app, context, key

    def id_of(self, phone: str) -> UUID:
        """Return the id of a number's stream; `phone` is E.164."""
        return number_id_of(self._key.of_number(phone))

    def entry(self, number_id: UUID) -> Number.Suppressed:
        """Return the event by which a number was suppressed last, from the log.

        Raises NotFound if it never was.
        """
        for stored in self._app.recorder.select_events(number_id, desc=True):
            event: object = self._app.mapper.to_domain_event(stored)
            if isinstance(event, Number.Suppressed):
                return event
        raise NotFound("suppressed number", number_id)

    def suppress(
        self,
        phone: str,
        *,
        source: SuppressionSource,
        reason: str | None,
        by: str,
    ) -> tuple[UUID, int | None]:
        """Add a number (E.164); return its id and the position, None if unchanged."""
        number_id = self.id_of(phone)
        reason = _checked(reason) if reason and reason.strip() else None
        written, phone_row = self._context.vault_text(number_id, phone)
        why, why_row = self._context.vault_text(number_id, reason or "")

        def command() -> int | None:
            at = self._context.now()
            number = find_number(self._app, number_id, at)
            number.suppress(
                source=source,
                reason=why if reason else None,
                phone=written,
                at=at,
                by=by,
            )
            rows = [phone_row, why_row] if reason else [phone_row]
            return self._app.append(number, vault=rows if number.pending_events else [])

        return number_id, decide(command)

    def suppress_by_member(
        self,
        phone: str,
        *,
        region: str,
        in_browser: bool,
        reason: str | None,
        by: str,
    ) -> Number.Suppressed:
        """Add a number as a member writes it, and return its entry.

        A number without `+` is read in `region`. The entry's source is API unless the
        member uses a browser. A number that is suppressed already keeps its entry.

        Raises:
            Invalid: the number cannot be read, or the reason is too long.
        """
        number_id, _ = self.suppress(
            read_number(phone, region),
            source=SuppressionSource.PERSON if in_browser else SuppressionSource.API,
            reason=reason,
            by=by,
        )
        return self.entry(number_id)

    def lift(
        self, number_id: UUID, *, reason: str, by: str
    ) -> tuple[Number.Suppressed, int | None]:
        """Remove a number from the register; return its entry and the position.

        Raises:
            Invalid: the reason is empty or too long.
            NotFound: the number was never on the register.
            WrongState: the number is not suppressed now.
        """
        why, row = self._context.vault_text(number_id, _checked(reason))

        def command() -> tuple[Number.Suppressed, int | None]:
            entry = self.entry(number_id)
            number = self._app.load(Number, number_id)
            number.lift(reason=why, at=self._context.now(), by=by)
            return entry, self._app.append(number, vault=[row])

        return decide(command)


def read_number(phone: str, region: str) -> str:
    """Read a number as a member writes it, as E.164; an extension is dropped.

    A number without `+` is read in `region`. Any kind of number may be suppressed.
    Raises Invalid.
    """
    from application.contacts.phone_numbers import phone_reader  # noqa: PLC0415 - it loads all countries' plans, which few processes need

    found = phone_reader(region, any_kind=True)(phone)
    if isinstance(found, InvalidPhone):
        raise Invalid(f"phone: {found.message}", phone=found.message)
    return found[0]


def calling_code(region: str) -> str:
    """Return the country calling code of a region, such as 1 for US; empty if none."""
    from phonenumbers import country_code_for_region  # noqa: PLC0415 - see read_number

    code = country_code_for_region(region)
    return str(code) if code else ""


def _checked(reason: str) -> str:
    if not reason.strip():
        raise Invalid("reason is empty.", reason="is empty")
    if len(reason) > LONGEST_REASON:
        fault = f"must have at most {LONGEST_REASON:,} characters"
        raise Invalid(f"reason {fault}.", reason=fault)
    return reason.strip()
