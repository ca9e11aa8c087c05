"""Options that several commands share, as one parameter of each command."""

from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints

type Command = Callable[..., None]


def takes(**groups: type[Any]) -> Callable[[Command], Command]:
    """Give a command the options of groups, each a dataclass with annotated options.

    `takes(terms=TermsOptions)` replaces the parameter `terms` by one option for each
    field of TermsOptions; the command receives an instance of the class. Each field
    needs a default.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            for name, group in groups.items():
                own = {field.name: given.pop(field.name) for field in fields(group)}
                given[name] = group(**own)
            command(**given)

        stated = signature(command)
        parameters = [
            option
            for parameter in stated.parameters.values()
            for option in _options(parameter, groups.get(parameter.name))
        ]
        # Typer reads the options from the signature.
        run.__signature__ = stated.replace(parameters=parameters)  # type: ignore[attr-defined]  # functions may have this attribute, PEP 362
        return run

    return decorate


def _options(parameter: Parameter, group: type[Any] | None) -> list[Parameter]:
    """Return the parameter, or those of the group that replaces it."""
    if group is None:
        return [parameter]
    hints = get_type_hints(group, include_extras=True)
    return [_option(field, hints[field.name]) for field in fields(group)]


def _option(field: Field[Any], hint: Any) -> Parameter:
    kind = Parameter.KEYWORD_ONLY
    return Parameter(field.name, kind, default=field.default, annotation=hint)
