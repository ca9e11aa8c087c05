"""Texts about Vapi's values for people: https://docs.vapi.ai/calls/call-ended-reason."""

from application.ports import ProviderTexts

TEXTS = ProviderTexts(
    ended_reasons={
        "customer-ended-call": "The customer hung up",
        "assistant-ended-call": "The assistant ended the call",
        "assistant-said-end-call-phrase": "The assistant said goodbye",
        "customer-did-not-answer": "Nobody answered",
        "customer-busy": "The line was busy",
        "customer-did-not-give-microphone-permission": "No microphone",
        "voicemail": "Voicemail answered",
        "silence-timed-out": "Both sides were silent for too long",
        "exceeded-max-duration": "The call reached its longest duration",
        "manually-canceled": "Hung up by a person",
    },
    new_assistant={
        "firstMessage": "Hello {{name}}, this is a call from {{business_name}}.",
        "model": {
            "provider": "openai",
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "Be brief and friendly."}],
        },
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
    },
)
