"""The fields of the assistants' form in Vapi's configuration of an assistant.

Sources: `Assistant`, `CreateAssistantDTO` and the models and voices in the OpenAPI file
at https://docs.vapi.ai/api-reference/assistants/create.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from application.ports import AssistantChanges, AssistantFields
from domain.errors import Invalid
from provider.vapi.assistants.templates import first_message, system_prompt

SHORTEST_CALL_SECONDS, LONGEST_CALL_SECONDS = 10, 43_200
"""Bounds of `maxDurationSeconds`, inclusive."""

LONGEST_VOICEMAIL_MESSAGE = 1000
"""Characters of `voicemailMessage`."""

type Document = dict[str, Any]


def assistant_fields(config: Mapping[str, Any]) -> AssistantFields:
    """Read the fields; a value of an unexpected type is read as None."""
    seconds = config.get("maxDurationSeconds")
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    return AssistantFields(
        first_message=first_message(config),
        prompt=system_prompt(config),
        model=_joined(config.get("model"), "model"),
        voice=_joined(config.get("voice"), "voiceId"),
        voicemail_message=_text(config.get("voicemailMessage")),
        longest_call_seconds=seconds if is_number else None,
    )


def with_fields(config: Mapping[str, Any], changes: AssistantChanges) -> Document:
    """Return the configuration with changed fields; all other content stays.

    A field that has the value already changes nothing. Raises Invalid for a value that
    the provider does not accept.
    """
    now = assistant_fields(config)
    changed = deepcopy(dict(config))
    for name, value in changes.items():
        if value is None or value == (getattr(now, name) or ""):
            continue
        match name:
            case "prompt":
                _set_prompt(changed, str(value))
            case "model":
                _set_pair(changed, "model", "model", str(value))
            case "voice":
                _set_pair(changed, "voice", "voiceId", str(value))
            case "longest_call_seconds":
                changed["maxDurationSeconds"] = _seconds(value)
            case "voicemail_message":
                changed["voicemailMessage"] = _voicemail_message(str(value))
            case _:
                changed["firstMessage"] = value
    return changed


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _joined(part: Any, key: str) -> str | None:
    """Return `provider/name`, or the provider alone if there is no name."""
    if not isinstance(part, dict):
        return None
    texts = [_text(part.get("provider")), _text(part.get(key))]
    return "/".join(text for text in texts if text) or None


def _set_pair(config: Document, part: str, key: str, value: str) -> None:
    """Set `provider/name`; names may contain slashes themselves."""
    provider, slash, name = (text.strip() for text in value.partition("/"))
    if not (provider and slash and name):
        rule = "must be written PROVIDER/NAME, for example " + _EXAMPLES[part]
        raise Invalid(f"The {part} {rule}.", **{part: rule})
    config[part] = {**_part(config, part), "provider": provider, key: name}


_EXAMPLES = {"model": "openai/gpt-4o", "voice": "vapi/Elliot"}


def _part(config: Document, part: str) -> Document:
    held = config.get(part)
    return held if isinstance(held, dict) else {}


def _set_prompt(config: Document, text: str) -> None:
    """Set the prompt, which may be spread over several texts of the model.

    The first text gets all of it, and the others, which are part of the shown prompt,
    are removed.
    """
    model = _part(config, "model")
    messages = model.get("messages")
    messages = messages if isinstance(messages, list) else []
    prompts = [at for at, one in enumerate(messages) if _is_prompt(one)]
    is_old_form = isinstance(model.pop("systemPrompt", None), str)
    if is_old_form and not prompts:
        config["model"] = {**model, "systemPrompt": text}
        return
    if prompts:
        first, *others = prompts
        kept = [one for at, one in enumerate(messages) if at not in others]
        kept[first] = {**messages[first], "content": text}
    else:
        kept = [{"role": "system", "content": text}, *messages]
    config["model"] = {**model, "messages": kept}


def _is_prompt(message: Any) -> bool:
    if not isinstance(message, dict) or message.get("role") != "system":
        return False
    return isinstance(message.get("content"), str)


def _voicemail_message(text: str) -> str:
    if len(text) > LONGEST_VOICEMAIL_MESSAGE:
        rule = f"must have at most {LONGEST_VOICEMAIL_MESSAGE:,} characters"
        raise Invalid(f"The voicemail message {rule}.", voicemailMessage=rule)
    return text


def _seconds(value: int | str) -> int:
    seconds = int(value)
    if not SHORTEST_CALL_SECONDS <= seconds <= LONGEST_CALL_SECONDS:
        bounds = f"{SHORTEST_CALL_SECONDS} to {LONGEST_CALL_SECONDS:,} seconds"
        rule = f"must be {bounds}"
        raise Invalid(f"The longest call {rule}.", longestCallSeconds=rule)
    return seconds
