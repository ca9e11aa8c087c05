"""Variables in an assistant's texts: `{{ name }}`, Liquid as the provider has it.

The provider fills them in for each call (https://docs.vapi.ai/assistants/dynamic-variables).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from application.ports import CallTexts
from provider.vapi.requests.call_request import variable_values

BUILT_IN = frozenset({"now", "date", "time", "month", "day", "year", "customer"})
"""Variables that the provider sets itself."""

_OUTPUT = re.compile(r"{{-?\s*(?P<expression>.*?)\s*-?}}", re.DOTALL)
_TAG = re.compile(r"{%-?\s*(?P<name>\w+)(?P<rest>.*?)-?%}", re.DOTALL)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_NAME = re.compile(r"(?<![\w.-])[^\W\d][\w-]*")
_WORDS = frozenset(
    {
        *("and", "or", "not", "contains", "in", "true", "false", "nil", "null"),
        *("empty", "blank", "reversed", "limit", "offset", "with", "as", "for"),
    }
)
_CONDITIONS = frozenset({"if", "elsif", "unless", "case", "when", "for", "assign"})
_FILTERS: dict[str, Callable[[str], str]] = {
    "upcase": str.upper,
    "downcase": str.lower,
    "capitalize": str.capitalize,
    "strip": str.strip,
}


def first_message(config: Mapping[str, Any]) -> str | None:
    """Return what the assistant says first, as a template."""
    text = config.get("firstMessage")
    return text if isinstance(text, str) else None


def system_prompt(config: Mapping[str, Any]) -> str | None:
    """Return the instructions of the assistant's model, as a template."""
    model = config.get("model")
    if not isinstance(model, dict):
        return None
    messages = model.get("messages")
    texts = [
        message["content"]
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
        and message.get("role") == "system"
        and isinstance(message.get("content"), str)
    ]
    if isinstance(model.get("systemPrompt"), str):
        texts.append(model["systemPrompt"])
    return "\n\n".join(texts) if texts else None


def template_variables(config: Mapping[str, Any]) -> list[str]:
    """Return the variables of the prompt and the first message, each once, in order.

    Those that the provider sets itself, and those that the text sets, are left out.
    """
    found: dict[str, None] = {}
    for text in (first_message(config), system_prompt(config)):
        found |= dict.fromkeys(_used(text or ""))
    return [name for name in found if name not in BUILT_IN]


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Fill in variables; what only the provider can evaluate stays as it is."""

    def filled(match: re.Match[str]) -> str:
        name, *filters = [part.strip() for part in match["expression"].split("|")]
        value = values.get(name)
        for each in filters:
            filter_name, _, argument = each.partition(":")
            if filter_name == "default":
                value = value or argument.strip().strip("'\"")
            elif value is not None and filter_name in _FILTERS:
                value = _FILTERS[filter_name](str(value))
            else:
                return match[0]
        return match[0] if value is None else str(value)

    return _OUTPUT.sub(filled, text)


def call_texts(
    config: Mapping[str, Any], name: str, variables: Mapping[str, str]
) -> CallTexts:
    """Return the prompt and first message for a contact with these variables."""
    values = variable_values(name, variables)
    greeting, prompt = first_message(config), system_prompt(config)
    return CallTexts(
        None if greeting is None else fill(greeting, values),
        None if prompt is None else fill(prompt, values),
        values,
        needed_variables(greeting or ""),
        needed_variables(prompt or ""),
    )


def needed_variables(text: str) -> tuple[str, ...]:
    """Return the variables whose empty value leaves a gap in a text, in its order.

    Those with a default value, and those that a condition tests, are left out.
    """
    tested = {*_tested(text), *_own(text), *BUILT_IN}
    needed = [
        name
        for name, filters in _outputs(text)
        if not any(each.partition(":")[0].strip() == "default" for each in filters)
    ]
    return tuple(name for name in dict.fromkeys(needed) if name not in tested)


def _used(text: str) -> Iterator[str]:
    own = _own(text)
    found = chain((name for name, _ in _outputs(text)), _tested(text))
    return (name for name in found if name not in own)


def _own(text: str) -> set[str]:
    """Return the variables that the text sets itself."""
    own = {match["rest"].split("=")[0].strip() for match in _assignments(text)}
    return own | {match["rest"].split()[0] for match in _loops(text)}


def _outputs(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each variable that the text shows, with its filters."""
    for match in _OUTPUT.finditer(text):
        expression, *filters = match["expression"].split("|")
        if name := _variable(expression.strip()):
            yield name, filters


def _tested(text: str) -> Iterator[str]:
    """Yield the variables in conditions, loops and assignments."""
    for match in _TAG.finditer(text):
        if match["name"] in _CONDITIONS:
            plain = _QUOTED.sub(" ", match["rest"].split("|")[0])
            yield from (name for name in _NAME.findall(plain) if name not in _WORDS)


def _assignments(text: str) -> Iterator[re.Match[str]]:
    return (match for match in _TAG.finditer(text) if match["name"] == "assign")


def _loops(text: str) -> Iterator[re.Match[str]]:
    return (
        match
        for match in _TAG.finditer(text)
        if match["name"] == "for" and match["rest"].split()
    )


def _variable(expression: str) -> str | None:
    """Return the variable of an expression; None for a literal value."""
    if not expression or expression[0] in "'\"" or expression[0].isdigit():
        return None
    if " " in expression:
        return expression
    return re.split(r"[.\[]", expression)[0]
