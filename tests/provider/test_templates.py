"""Variables in an assistant's prompt and first message."""

from typing import Any

import pytest

from provider.vapi.assistants.templates import (
    call_texts,
    fill,
    needed_variables,
    template_variables,
)


def config(first: str, *prompts: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": prompt} for prompt in prompts]
    return {"firstMessage": first, "model": {"messages": messages}}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hello {{name}}, {{ plan }} or {{plan}}?", ["name", "plan"]),
        ("{{- name | upcase -}} {{ city | default: 'x' }}", ["name", "city"]),
        ("{{ 'now' | date: '%A' }} {{ 12 | plus: 3 }} {{ now }}", []),
        ("{{customer.number}} {{ order.id }} {{ items[0] }}", ["order", "items"]),
        ("{% if vip == 'yes' and plan %}x{% endif %}", ["vip", "plan"]),
        ("{% assign a = b %}{{ a }}", ["b"]),
        ("{% for one in many %}{{ one.name }}{% endfor %}", ["many"]),
        ("{{ First Name }}", ["First Name"]),
        ("Hello { name }, {{ }}", []),
    ],
)
def test_variables_of_a_text_are_named_once(text: str, names: list[str]) -> None:
    assert template_variables(config(text)) == names
    assert template_variables(config("", text, text)) == names


@pytest.mark.parametrize(
    "odd",
    [{}, {"firstMessage": 3, "model": "gpt"}, {"model": {"messages": [None, "x", {}]}}],
)
def test_a_configuration_without_texts_has_no_variables(odd: dict[str, Any]) -> None:
    assert template_variables(odd) == []
    texts = call_texts(odd, "Ada", {})
    assert (texts.first_message, texts.system_prompt) == (None, None)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {{name}}!", "Hi Ada!"),
        ("{{ name | upcase }} {{ city | default: 'there' }}", "ADA there"),
        (
            "{{ missing }} {{ 'now' | date: '%A' }}",
            "{{ missing }} {{ 'now' | date: '%A' }}",
        ),
        ("{{ name | truncate: 2 }}", "{{ name | truncate: 2 }}"),
        ("{{ First Name }}", "Ada B."),
    ],
)
def test_expressions_that_only_the_provider_can_evaluate_stay(
    text: str, filled: str
) -> None:
    assert fill(text, {"name": "Ada", "First Name": "Ada B."}) == filled


def test_the_texts_of_a_call_have_the_values_of_its_request() -> None:
    texts = call_texts(config("Hi {{name}}", "Plan: {{plan}}"), "Ada", {"plan": "gold"})
    assert (texts.first_message, texts.system_prompt) == ("Hi Ada", "Plan: gold")
    assert texts.values == {"name": "Ada", "plan": "gold"}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("Hello {{name}}, {{ plan }} or {{plan}}?", ("name", "plan")),
        ("{{ name | default: 'there' }} {{ city | upcase }}", ("city",)),
        ("{% if plan %}{{ plan }}{% endif %} {{ city }}", ("city",)),
        ("{% assign a = b %}{{ a }} {{ now }}", ()),
        ("", ()),
    ],
)
def test_a_default_or_a_condition_makes_an_empty_value_harmless(
    text: str, needed: tuple[str, ...]
) -> None:
    assert needed_variables(text) == needed
    texts = call_texts(config(text, f"- {text}"), "", {})
    assert (texts.greeting_needs, texts.prompt_needs) == (needed, needed)
