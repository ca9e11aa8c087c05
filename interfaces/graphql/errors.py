"""Refusals returned as data, and all other errors without internal details."""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self
from uuid import uuid4

import strawberry
from graphql import GraphQLError
from psycopg import OperationalError
from strawberry.extensions import MaskErrors
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from application.errors import ReadModelBehind, RoleForbids, StoreUnavailable
from application.ports import ProviderRefused, ProviderUnavailable
from domain.errors import Conflict, InUse, Invalid, NotFound, Refused, WrongState
from interfaces.database_errors import unavailable_message

log = logging.getLogger(__name__)

FORBIDDEN = "FORBIDDEN"
NOT_ALLOWED = "Your role does not allow this."


@strawberry.enum
class ErrorCode(StrEnum):
    """Codes of errors that are returned as data, in `UserError`."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    WRONG_STATE = "WRONG_STATE"
    IN_USE = "IN_USE"
    PROVIDER_REFUSED = "PROVIDER_REFUSED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"


@strawberry.type
class FieldError:
    """One invalid input: the path to the field, and its fault."""

    path: list[str]
    message: str


@strawberry.type(description="An error that the user can correct.")
class UserError:
    """A refusal that a mutation returns as data."""

    code: ErrorCode
    message: str
    fields: list[FieldError] = strawberry.field(
        description="The invalid inputs and their faults; empty if all are valid."
    )

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Build it from a refusal of the domain or of the provider."""
        wrong = error.fields if isinstance(error, Invalid) else {}
        fields = [
            FieldError(path=to_camel_case(name).split("."), message=what)
            for name, what in wrong.items()
        ]
        return cls(code=_code(error), message=_message(error, wrong), fields=fields)


CODES: dict[type[Exception], ErrorCode] = {
    Invalid: ErrorCode.INVALID,
    NotFound: ErrorCode.NOT_FOUND,
    WrongState: ErrorCode.WRONG_STATE,
    Conflict: ErrorCode.CONFLICT,
    InUse: ErrorCode.IN_USE,
    ProviderRefused: ErrorCode.PROVIDER_REFUSED,
    ProviderUnavailable: ErrorCode.PROVIDER_UNAVAILABLE,
}


def _message(error: Exception, wrong: Mapping[str, str]) -> str:
    """Return the message with inputs named in camelCase, as in this API."""
    message = str(error)
    for name in wrong:
        message = message.replace(name, to_camel_case(name))
    return message


def _code(error: Exception) -> ErrorCode:
    """Return the error code; every other refusal conflicts with an earlier event."""
    return CODES.get(type(error), ErrorCode.CONFLICT)


class Refusals(
    strawberry.ExceptionHandler[
        Refused | ProviderUnavailable | ProviderRefused | ReadModelBehind, UserError
    ]
):
    """Returns refusals as UserError in fields whose type includes it."""

    def handle(
        self,
        exception: Exception,
        *,
        field: StrawberryField,  # noqa: ARG002 - the library's signature
        info: Any,  # noqa: ARG002 - the library's signature
    ) -> UserError:
        """Convert a refusal that the resolver raised."""
        return UserError.of(exception)


def _coded(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def unauthenticated() -> GraphQLError:
    """Return the error for a request without valid credentials."""
    message = "Sign in, or send a valid API token: Authorization: Bearer alx_..."
    return _coded("UNAUTHENTICATED", message)


def forbidden() -> GraphQLError:
    """Return the error for a member whose role does not allow the field."""
    return _coded(FORBIDDEN, NOT_ALLOWED)


def bad_request(message: str) -> GraphQLError:
    """Return the error for a request that the client has to change."""
    return _coded("BAD_REQUEST", message)


def took_too_long(seconds: float) -> GraphQLError:
    """Return the error for an operation that exceeded `seconds`."""
    return _coded(
        "BAD_REQUEST", f"The operation takes more than {seconds:g} s: request less."
    )


class PublicErrors(MaskErrors):
    """Shows clients a code and a message for each error, but no internal details."""

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        """Return the error that the client sees; log what it does not."""
        code, message, extra = self._public(error)
        return GraphQLError(
            message,
            nodes=error.nodes,
            source=error.source,
            positions=error.positions,
            path=error.path,
            extensions={"code": code, **extra},
        )

    def _public(self, error: GraphQLError) -> tuple[str, str, dict[str, Any]]:
        match error.original_error or error:
            case GraphQLError() as public:
                code = (public.extensions or {}).get("code", "BAD_REQUEST")
                return code, error.message, {}
            case Refused() as refused:
                return "BAD_REQUEST", str(refused), {}
            case RoleForbids():
                return FORBIDDEN, NOT_ALLOWED, {}
            case (
                ProviderUnavailable() | ProviderRefused() | ReadModelBehind() as public
            ):
                return "INTERNAL", str(public), {}
            case StoreUnavailable() | OperationalError() as unreachable:
                log.warning("The database did not answer: %s", unreachable)
                return "INTERNAL", unavailable_message(unreachable), {}
            case unexpected:
                return self._masked(unexpected)

    def _masked(self, error: Exception) -> tuple[str, str, dict[str, Any]]:
        error_id = str(uuid4())
        log.error("GraphQL error %s", error_id, exc_info=error)
        message = f"Internal error. The log has its details under the id {error_id}."
        return "INTERNAL", message, {"errorId": error_id}
