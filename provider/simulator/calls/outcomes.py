"""The end of a call as the API and its reports show it."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from provider.simulator.calls.calls import SimulatedCall, epoch_ms, iso
from provider.simulator.calls.recordings import Recordings
from provider.simulator.people.scenes import AGREED, Line, structured_outputs


def shown(call: SimulatedCall, recordings: Recordings) -> dict[str, Any]:
    """Return the call as GET /call/{id} shows it now."""
    call = call.as_shown()
    times = {"startedAt": call.started_at, "endedAt": call.ended_at}
    created, reported = call.snapshot(), _reported(call, recordings)
    if reported and "cost" not in reported:
        del created["cost"]
    return {
        **created,
        "status": call.status,
        "updatedAt": iso(call.updated_at),
        **ending(call),
        **{key: iso(time) for key, time in times.items() if time},
        **reported,
    }


def _reported(call: SimulatedCall, recordings: Recordings) -> dict[str, Any]:
    """Return the outcome that GET /call/{id} shows, depending on the reports sent."""
    if not call.first_reported_at:
        return {}
    complete, form = outcome(call, recordings), call.reporting
    if form.read == "complete":
        return complete
    if not call.reported_at:
        return form.first_report(complete)
    return form.last_report(complete)


def ending(call: SimulatedCall) -> dict[str, Any]:
    """Return ended reason and explanation; empty before the end."""
    if not call.ended_reason:
        return {}
    explained = {"endedMessage": call.plan.message} if call.plan.message else {}
    return {"endedReason": call.ended_reason, **explained}


def outcome(call: SimulatedCall, recordings: Recordings) -> dict[str, Any]:
    """Return the outcome after post-processing, at each depth where it is sent."""
    artifact = _artifact(call, recordings)
    twins = ("messages", "transcript", "recordingUrl", "stereoRecordingUrl")
    analysis = _analysis(call)
    return {
        "analysis": analysis,
        "artifact": artifact,
        "cost": call.cost,
        **(_priced(call.cost, call.talked) if call.started_at else {}),
        "summary": analysis.get("summary", ""),
        **{key: artifact[key] for key in twins if key in artifact},
    }


def _artifact(call: SimulatedCall, recordings: Recordings) -> dict[str, Any]:
    lines = call.lines()
    spoken = [
        {"role": "assistant" if role == "bot" else role, "content": text}
        for role, text in lines
    ]
    return {
        "messages": _messages(call, lines),
        "messagesOpenAIFormatted": spoken,
        "transcript": transcript(lines),
        **(recordings.artifact(call.id) if call.started_at else {}),
        "variableValues": call.overrides.get("variableValues") or {},
        **_structured_outputs(call),
        "nodes": [],
        "transfers": [],
    }


def _structured_outputs(call: SimulatedCall) -> dict[str, Any]:
    """Show the structured outputs by id, with their names, if anybody picked up."""
    if call.started_at is None:
        return {}
    outputs = structured_outputs(call.scene, call.callback_at)
    return {
        "structuredOutputs": {
            str(uuid5(NAMESPACE_URL, name)): {"name": name, "result": result}
            for name, result in outputs.items()
        }
    }


def _analysis(call: SimulatedCall) -> dict[str, Any]:
    if call.started_at is None:
        return {}
    agreed = ("user", AGREED) in call.lines()
    name = call.request["customer"].get("name") or "The customer"
    return {
        "summary": f"{name} {'agreed' if agreed else 'did not agree'}.",
        "successEvaluation": str(agreed).lower(),
        "structuredData": {"confirmed": agreed},
    }


def _messages(call: SimulatedCall, lines: list[Line]) -> list[dict[str, Any]]:
    if call.started_at is None:
        return []
    start, step = epoch_ms(call.started_at), call.talked / max(len(lines), 1)
    return [
        {
            "role": role,
            "message": text,
            "time": start + round(index * step * 1000),
            "endTime": start + round((index + 0.8) * step * 1000),
            "secondsFromStart": round(index * step, 3),
            "duration": round(0.8 * step * 1000),
        }
        for index, (role, text) in enumerate(lines)
    ]


def transcript(lines: list[Line]) -> str:
    """Return the conversation as the text form of a transcript."""
    speakers = {"bot": "AI", "user": "User"}
    return "".join(f"{speakers[role]}: {text}\n" for role, text in lines)


def _priced(total: float, minutes_in_seconds: float) -> dict[str, Any]:
    """Split a cost as the provider does; the parts add up to the total."""
    shares = {"transport": 0.11, "stt": 0.12, "llm": 0.02, "tts": 0.15}
    parts = {key: round(total * share, 4) for key, share in shares.items()}
    parts["vapi"] = round(total - sum(parts.values()), 4)
    minutes = round(minutes_in_seconds / 60, 4)
    return {
        "costBreakdown": {
            **parts,
            "chat": 0,
            "total": total,
            "llmPromptTokens": 412,
            "llmCompletionTokens": 58,
            "llmCachedPromptTokens": 0,
            "ttsCharacters": 113,
        },
        "costs": _costs(parts, minutes),
    }


def _costs(parts: dict[str, float], minutes: float) -> list[dict[str, Any]]:
    ears = {"provider": "deepgram", "model": "nova-2"}
    mind = {"provider": "openai", "model": "gpt-4o-mini"}
    voice = {"provider": "vapi", "voiceId": "Elliot"}
    tokens = {"promptTokens": 412, "completionTokens": 58}
    timed: dict[str, Any] = {"minutes": minutes}
    return [
        {
            "type": "transport",
            "provider": "twilio",
            "cost": parts["transport"],
            **timed,
        },
        {"type": "transcriber", "transcriber": ears, "cost": parts["stt"], **timed},
        {"type": "model", "model": mind, "cost": parts["llm"], **tokens},
        {"type": "voice", "voice": voice, "characters": 113, "cost": parts["tts"]},
        {"type": "vapi", "subType": "normal", "cost": parts["vapi"], **timed},
    ]
