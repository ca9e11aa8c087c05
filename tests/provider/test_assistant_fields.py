"""The form's fields are read from a configuration and written into it."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from provider.vapi.assistants.assistant_fields import assistant_fields, with_fields

CONFIG: dict[str, Any] = {
    "firstMessage": "Hi {{name}}",
    "model": {
        "provider": "openai",
        "model": "gpt-4o",
        "temperature": 0.3,
        "toolIds": ["t-1"],
        "messages": [
            {"role": "system", "content": "Be brief.", "note": 1},
            {"role": "user", "content": "An example."},
        ],
    },
    "voice": {"provider": "11labs", "voiceId": "abc", "stability": 0.5},
    "voicemailMessage": "Call us back.",
    "maxDurationSeconds": 300,
    "transcriber": {"provider": "deepgram"},
}


def test_fields_are_read() -> None:
    read = assistant_fields(CONFIG)
    assert read.first_message == "Hi {{name}}"
    assert read.prompt == "Be brief."
    assert read.model == "openai/gpt-4o"
    assert read.voice == "11labs/abc"
    assert read.voicemail_message == "Call us back."
    assert read.longest_call_seconds == 300


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model": None, "voice": [], "maxDurationSeconds": True},
        {"firstMessage": 1, "model": {"messages": "x"}, "voice": {"provider": 3}},
    ],
)
def test_fields_that_are_missing_or_of_another_type_are_read_as_none(
    config: dict[str, Any],
) -> None:
    read = assistant_fields(config)
    assert {getattr(read, name) for name in read.__slots__} == {None}


def test_written_fields_leave_all_other_content() -> None:
    before = deepcopy(CONFIG)
    changed = with_fields(
        CONFIG,
        {
            "first_message": "Hello",
            "prompt": "Be kind.",
            "model": "openrouter/anthropic/claude",
            "voice": "vapi/Elliot",
            "voicemail_message": "",
            "longest_call_seconds": 60,
        },
    )
    assert before == CONFIG
    assert changed == {
        "firstMessage": "Hello",
        "model": {
            "provider": "openrouter",
            "model": "anthropic/claude",
            "temperature": 0.3,
            "toolIds": ["t-1"],
            "messages": [
                {"role": "system", "content": "Be kind.", "note": 1},
                {"role": "user", "content": "An example."},
            ],
        },
        "voice": {"provider": "vapi", "voiceId": "Elliot", "stability": 0.5},
        "voicemailMessage": "",
        "maxDurationSeconds": 60,
        "transcriber": {"provider": "deepgram"},
    }


def test_a_prompt_of_several_texts_becomes_one_text() -> None:
    messages = [
        {"role": "system", "content": "One."},
        {"role": "user", "content": "Example."},
        {"role": "system", "content": "Two."},
    ]
    config = {"model": {"messages": messages, "systemPrompt": "Three."}}
    shown = assistant_fields(config).prompt
    assert shown == "One.\n\nTwo.\n\nThree."
    assert with_fields(config, {"prompt": shown}) == config
    changed = with_fields(config, {"prompt": "New."})
    assert changed["model"] == {
        "messages": [{"role": "system", "content": "New."}, messages[1]]
    }


def test_a_prompt_keeps_its_old_form_and_is_added_where_none_is() -> None:
    old = {"model": {"provider": "p", "systemPrompt": "Old."}}
    changed = with_fields(old, {"prompt": "New."})
    assert changed["model"] == {"provider": "p", "systemPrompt": "New."}
    added = with_fields({}, {"prompt": "New."})
    assert added == {"model": {"messages": [{"role": "system", "content": "New."}]}}


def test_a_voice_without_a_name_is_kept_when_it_is_written_back() -> None:
    config = {"voice": {"provider": "custom-voice", "server": {"url": "u"}}}
    shown = assistant_fields(config).voice
    assert shown == "custom-voice"
    assert with_fields(config, {"voice": shown}) == config


@pytest.mark.parametrize("value", ["gpt-4o", "/gpt", "openai/", "", " / "])
def test_a_model_without_provider_or_name_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="PROVIDER/NAME, for example openai/gpt-4o"):
        with_fields(CONFIG, {"model": value})


@pytest.mark.parametrize("seconds", [9, 43_201])
def test_a_longest_call_out_of_bounds_is_refused(seconds: int) -> None:
    with pytest.raises(Invalid, match="10 to 43,200"):
        with_fields(CONFIG, {"longest_call_seconds": seconds})


def test_a_long_voicemail_message_is_refused() -> None:
    assert with_fields(CONFIG, {"voicemail_message": "x" * 1000})
    with pytest.raises(Invalid, match="at most 1,000"):
        with_fields(CONFIG, {"voicemail_message": "x" * 1001})


names = st.text("abcXYZ-.0123", min_size=1)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
configs = st.fixed_dictionaries(
    {},
    optional={
        "firstMessage": json,
        "model": json
        | st.fixed_dictionaries(
            {},
            optional={
                "provider": names,
                "model": names,
                "systemPrompt": st.text(max_size=5),
                "messages": st.lists(
                    st.fixed_dictionaries(
                        {
                            "role": st.sampled_from(["system", "user"]),
                            "content": json,
                        }
                    ),
                    max_size=3,
                ),
                "tools": json,
            },
        ),
        "voice": json,
        "maxDurationSeconds": json,
        "hooks": json,
    },
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "first_message": st.text(max_size=5),
        "prompt": st.text(max_size=5),
        "model": st.builds("{}/{}".format, names, names),
        "voice": st.builds("{}/{}".format, names, names),
        "voicemail_message": st.text(max_size=5),
        "longest_call_seconds": st.integers(10, 43_200),
    },
)


@given(config=configs, wanted=changes)
def test_each_written_field_is_read_back_and_unknown_keys_stay(
    config: dict[str, Any], wanted: dict[str, Any]
) -> None:
    changed = with_fields(config, wanted)
    read = assistant_fields(changed)
    for name, value in wanted.items():
        assert (getattr(read, name) or "") == value
    before = assistant_fields(config)
    for name in set(read.__slots__) - {*wanted, "prompt", "model"}:
        assert getattr(read, name) == getattr(before, name)
    assert changed.get("hooks") == config.get("hooks")
    model, now = config.get("model"), changed.get("model")
    if isinstance(model, dict) and isinstance(now, dict):
        assert now.get("tools") == model.get("tools")
    assert with_fields(changed, wanted) == changed
