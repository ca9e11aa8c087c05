"""Descriptions of fields about calling hours, retries, forecasts and rehearsals."""

from collections.abc import Mapping

CALLING_WINDOW = {
    "days": "Days of the week on which the window applies, at the contact's place.",
    "from": "First time of day at which a call may be placed, in the contact's local"
    " time.",
    "to": "End of the window in the contact's local time; it is not included.",
}
OUTPUT_RULE = {
    "output": "Name of a structured output, or a JSON pointer into the provider's"
    " analysis; 1 to 200 characters.",
    "equals": "Value with which the output is compared.",
    "means": "Disposition of the call if both are equal.",
}
RETRY_POLICY = {
    "attempts": "Maximum number of calls to one contact, 1 to 10.",
    "perDay": "Maximum number of calls to one contact within any 24 hours, 1 to 5.",
    "minGapMinutes": "Minimum number of minutes between two calls to one contact, 1 to"
    " 10,080.",
    "expiresAfterDays": "Days after the first call from which on the contact is not"
    " called again, 1 to 60.",
    "rules": "After which outcomes contacts are called again. Other outcomes are not"
    " retried.",
}
RETRY_RULE = {
    "outcomes": "Outcomes of a call after which the contact is called again.",
    "attempts": "Maximum number of retries after these outcomes, 1 to 10.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "Bound": {
        "code": "What limits the pace.",
        "share": "Share of the campaign's time in which it does, 0 to 1.",
    },
    "Calibration": {
        "campaigns": "Number of finished campaigns whose forecasts were compared with"
        " the result.",
        "coverage": "Share of these campaigns, 0 to 1, whose result lay in the 80 %"
        " interval; null with fewer than 20 campaigns.",
        "crps": "Mean continuous ranked probability score of the forecasts, in the unit"
        " of the quantity; lower is better. Null with fewer than 20 campaigns.",
        "naiveCrps": "The same for a naive forecast of the same campaigns.",
    },
    "CallingHours": {
        "waivedBy": "E-mail address of the admin who waived the rules; null unless"
        " rules is ANY.",
        "reason": "Reason for the waiver; null unless rules is ANY.",
        "blackoutDates": "Dates at the contact's place on which no call is placed, in"
        " ascending order.",
    },
    "CallingHoursInput": {
        "rules": "LAW applies the hours of the rule book. ANY waives them; only admins"
        " may choose it.",
        "reason": "Reason for the waiver, at most 1,000 characters; required with ANY"
        " and refused without it.",
        "windows": "The campaign's own, narrower hours, at most 50 windows; empty for"
        " none.",
        "blackoutDates": "Dates at the contact's place on which no call is placed, at"
        " most 1,000.",
        "lastStartMinutes": "No call is placed within this many minutes before the"
        " hours end, 0 to 240.",
    },
    "CallingRule": {
        "id": "Id of the rule, which the permits of calls name.",
        "validFrom": "First local date on which the rule applies; null for no limit.",
        "validTo": "Last local date on which the rule applies; null for no limit.",
        "purposes": "Purposes of campaigns to which the rule applies, in alphabetical"
        " order.",
        "frequency": "Limits on calls to one number; empty for none.",
        "source": "Citation or address of the text from which the rule was taken.",
        "readOn": "Date on which the source was read.",
    },
    "CallingWindow": CALLING_WINDOW,
    "CallingWindowInput": CALLING_WINDOW,
    "Dialability": {
        "at": "Time for which the contacts were counted.",
        "never": "Contacts that may never be called, by reason.",
    },
    "DialableHour": {
        "from": "Start of the hour; hours are counted from the time of the count.",
        "contacts": "Number of contacts.",
    },
    "DialableLater": {
        "code": "Why the contacts may not be called now.",
        "contacts": "Number of contacts.",
    },
    "Forecast": {
        "madeAt": "When the forecast was made.",
        "finishesAt": "When the campaign finishes.",
        "calls": "Calls placed by the end of the campaign.",
        "answered": "Calls answered by a person or a machine.",
        "human": "Calls answered by a person.",
        "goals": "Calls answered by a person that reach the goal.",
        "spend": "Cost of all calls in US dollars.",
    },
    "ForecastHour": {
        "from": "Start of the hour.",
        "calls": "Median number of calls placed in the hour.",
        "spend": "Median cost of the hour's calls, in US dollars.",
    },
    "FrequencyCap": {
        "attempts": "Maximum number of calls to one number within the window.",
        "hours": "Length of the sliding window in hours.",
    },
    "FrequencyCapInput": {
        "attempts": "Maximum number of calls to one number within the window, 1 to"
        " 1,000.",
        "hours": "Length of the sliding window in hours, 1 to 8,760.",
    },
    "NeverDialable": {
        "reason": "Why the contacts are withheld.",
        "contacts": "Number of contacts.",
    },
    "NumberRange": {
        "p10": "10th percentile: the lower end of the 80 % interval.",
        "p50": "Median.",
        "p90": "90th percentile: the upper end of the 80 % interval.",
    },
    "OutputRule": OUTPUT_RULE,
    "OutputRuleInput": OUTPUT_RULE,
    "PlaceSourceCount": {"contacts": "Number of contacts."},
    "Rehearsal": {
        "at": "Virtual time.",
        "state": "State of the rehearsed campaign.",
        "contacts": "Number of contacts of the rehearsed campaign.",
        "pending": "Contacts that wait for a call.",
        "active": "Contacts with a live call.",
        "ended": "Contacts whose latest call has ended so far.",
        "spend": "Cost of the simulated calls so far, in US dollars.",
        "result": "The result; null until the rehearsal has finished.",
    },
    "RehearsalResult": {
        "startedAt": "Virtual time of the first call; null if no call was placed.",
        "completedAt": "Virtual time at which the campaign ended; null if it did not.",
        "calls": "Finished calls.",
        "answered": "Contacts with a call that a person or a machine answered.",
        "human": "Contacts with a call that a person answered.",
        "goals": "Contacts that reached the goal.",
        "withheld": "Contacts that were finished without a call.",
        "outcomes": "Finished calls per outcome.",
        "contacts": "All contacts in the order of the file.",
    },
    "RehearsedContact": {
        "name": "Name.",
        "phone": "Phone number, E.164.",
        "status": "Status as in the export.",
        "outcome": "Outcome of the contact; null if it was not called.",
        "attempts": "Number of calls that were placed.",
    },
    "RehearsedOutcome": {
        "outcome": "The outcome.",
        "calls": "Finished calls with this outcome.",
    },
    "RetryPolicy": RETRY_POLICY,
    "RetryPolicyInput": RETRY_POLICY,
    "RetryPreset": {
        "name": "Name of the preset: once, gentle, patient or urgent.",
        "policy": "The policy, to be used as it is or changed.",
    },
    "RetryRule": RETRY_RULE,
    "RetryRuleInput": {
        **RETRY_RULE,
        "gapsMinutes": "Minutes between the n-th of these calls and its retry, 1 to"
        " 86,400; 1 to 10 values, of which the last repeats.",
        "otherTimeOfDay": "Whether the retry is planned for a part of the contact's day"
        " (morning, midday, evening) in which the contact was not called before.",
    },
    "RuleBook": {"rules": "The rules, each with the dates between which it applies."},
    "TimeRange": {
        "p10": "10th percentile; null if the campaign may not finish.",
        "p50": "Median; null if the campaign may not finish.",
        "p90": "90th percentile; null if the campaign may not finish.",
    },
}
"""Descriptions by the name of the type and of its field."""
