"""Descriptions of the fields of calls, outcomes and the event log."""

from collections.abc import Mapping

EVENT_PAGE = {
    "edges": "The events of this page, each with its cursor.",
    "nodes": "The events of this page, without cursors.",
    "pageInfo": "Whether another page follows, and the cursor to request it.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "ActivityBucket": {
        "from": "Start of the interval. Intervals in which nothing happened are left"
        " out.",
        "placed": "Calls that the provider accepted in the interval.",
        "ended": "Calls that ended in the interval with status ENDED.",
        "failed": "Calls that were closed in the interval with status FAILED or"
        " TIMEOUT.",
        "spend": "Cost of the calls that ended in the interval, in US dollars.",
    },
    "AnswerRate": {
        "hour": "Hour of the day at the contact's place, 0 to 23. A call is counted"
        " only if it was the same hour in all time zones of the number.",
        "calls": "Finished calls that were placed in this hour.",
        "answered": "Those of them that a person or a machine answered.",
        "human": "Those of them that a person answered.",
    },
    "CallbackCounts": {
        "due": "Contacts whose callback is due: they are called next, when the rules"
        " allow it.",
        "later": "Contacts whose callback is planned for a time in the future.",
        "nextAt": "First of these times; null if there is none.",
    },
    "AttemptCount": {
        "hours": "Length of the window before the request, in hours.",
        "attempts": "Calls to the number within the window, over all campaigns.",
    },
    "AuditProblem": {
        "position": "Position of the first event with a problem in the event log; null"
        " if the problem concerns no single event.",
        "message": "The problem, in a sentence for people.",
    },
    "AuditStatus": {
        "verifiedUpTo": "Position of the last verified event; 0 before the first"
        " verification.",
        "verifiedAt": "Time of the last verification; null before the first.",
        "head": "Position of the last event in the log; 0 if the log is empty.",
    },
    "Call": {
        "id": "Id of the call (UUID).",
        "campaignId": "Id of the campaign to which the call belongs.",
        "contactId": "Id of the contact who is called.",
        "attempt": "Number of this call among the calls to the contact; the first is"
        " 1.",
        "status": "Present status of the call.",
        "providerCallId": "The provider's id of the call; null until the provider has"
        " accepted it.",
        "queuedAt": "When the scheduler reserved a slot for the call.",
        "placedAt": "When the provider accepted the call; null before that.",
        "startedAt": "When a person or a machine answered; null if the call was not"
        " answered, or is not known to have been.",
        "endedAt": "When the call ended, as the provider reported it; null while the"
        " call is live, or if the time is not known.",
        "lastEventAt": "Time of the latest event of the call.",
        "durationSeconds": "Duration of the call in seconds, as the provider reported"
        " it; null if it is not known.",
        "cost": "Cost of the call in US dollars; null until it is known. A later report"
        " may correct it.",
        "outcome": "How the call went; null while the call is not finished. A later"
        " report may change it.",
        "disposition": "Business result of the call; null if there is none.",
        "recordingUrl": "The provider's URL of the recording; null if there is no"
        " recording, or if its URL is not one of the allowed addresses.",
    },
    "CallPermit": {
        "grantedAt": "When the call was allowed, which is when it was last requested.",
        "places": "All places to which the number may belong, as ISO 3166-1 or 3166-2"
        " codes.",
        "timeZones": "All IANA time zones to which the number may belong; the calling"
        " hours had to be open in each.",
    },
    "ConsultedList": {
        "name": "Name of the suppression list.",
        "asOf": "Date of the list's data, not of its upload.",
    },
    "Event": {
        "position": "Position in the event log. Positions grow, and may have gaps.",
        "aggregateType": "Type of the object to which the event belongs, such as"
        " campaign, call or settings.",
        "aggregateId": "Id of that object (UUID).",
        "version": "Number of the event among those of its object, in ascending order.",
        "occurredAt": "When the event was recorded.",
        "payload": "Contents of the event. Names, numbers and texts of contacts are not"
        " part of it, only the ids under which they are stored. URLs that may contain a"
        " secret are visible to admins only.",
    },
    "EventConnection": EVENT_PAGE,
    "EventEdge": {
        "node": "The event.",
        "cursor": "Cursor of the event, for the argument after.",
    },
    "EventFilter": {
        "aggregateId": "Only events of the object with this id.",
        "campaignId": "Only events of this campaign, its calls and its imports.",
        "types": "Only events of these types, such as call.ended. An empty list matches"
        " no event.",
        "actor": "Only events of this actor: a member's e-mail address or a part of the"
        " system, matched exactly.",
        "since": "Only events recorded at this time or later.",
        "until": "Only events recorded at this time or earlier.",
    },
    "Funnel": {
        "contacts": "All contacts of the campaign.",
        "dialed": "Contacts to whom at least one call was placed.",
        "answered": "Contacts with a call that a person or a machine answered.",
        "human": "Contacts with a call that a person answered.",
        "goal": "Contacts that a person answered for and that reached the goal.",
        "withheld": "Contacts that were finished without a call.",
        "optedOut": "Contacts who asked not to be called again.",
    },
    "OutcomeCount": {
        "outcome": "The outcome.",
        "calls": "Finished calls with this outcome.",
        "contacts": "Contacts whose latest finished call has this outcome.",
    },
}
"""Descriptions by the name of the type and of its field."""
