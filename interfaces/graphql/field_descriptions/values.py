"""Descriptions of the values of enumerations."""

from collections.abc import Mapping

_OF_CALLS = {
    "QUEUED": "A slot is reserved for the call; the provider has not accepted it yet.",
    "RINGING": "The phone rings, as far as the provider has reported.",
    "IN_PROGRESS": "The call was answered.",
    "ENDED": "The call is over.",
    "FAILED": "The call was refused, or given up before it was placed.",
    "TIMEOUT": "The call was placed, but the provider does not know it any more.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "CallOutcome": {
        "HUMAN": "A conversation with a person.",
        "DROPPED_EARLY": "A person answered and hung up within seconds, without a"
        " result.",
        "VOICEMAIL": "An answering machine answered.",
        "SCREENED": "An attendant, a menu or a call screener answered.",
        "SILENT": "The call was answered, and nobody spoke.",
        "NO_ANSWER": "Nobody answered.",
        "BUSY": "The line was busy.",
        "DECLINED": "The other side refused the call.",
        "INVALID_NUMBER": "There is no such number.",
        "FAULT": "The platform, carrier, model or voice failed after the phone may have"
        " rung.",
        "NOT_STARTED": "No phone rang.",
        "CANCELED": "We hung up or withdrew the call.",
        "UNKNOWN": "The provider gave no reason, or one that is not known here.",
    },
    "CallPurpose": {
        "TELEMARKETING": "Calls that sell or advertise; the strictest rules.",
        "INFORMATIONAL": "Calls that inform, such as reminders of appointments.",
        "SURVEY": "Calls that ask for opinions or facts, without selling.",
        "DEBT_COLLECTION": "Calls about money that is owed.",
    },
    "CallStatus": {
        **_OF_CALLS,
        "CANCELED": "The reservation was cancelled before any request to the provider.",
    },
    "CampaignState": {
        "CREATED": "Not started.",
        "QUEUED": "Started, but the provider has accepted no call yet.",
        "DIALING": "The provider has accepted a call, but no phone has rung yet.",
        "RUNNING": "A phone has rung.",
        "PAUSED": "No new calls until it is resumed.",
        "COMPLETED": "Every contact is finished.",
        "CANCELED": "Ended by a member.",
        "FAILED": "Ended because its data cannot be processed.",
    },
    "ColumnRole": {
        "NAME": "Name of the person.",
        "FIRST_NAME": "First name, joined with the last name.",
        "LAST_NAME": "Last name, joined with the first name.",
        "BUSINESS_NAME": "Name of the person's business.",
        "PHONE": "The number that is called.",
        "TIME_ZONE": "IANA time zone of the contact.",
        "COUNTRY": "Country of the contact.",
        "SUBDIVISION": "State or province of the contact.",
        "POSTAL_CODE": "Postal code of the contact.",
        "CONSENT_AT": "When the contact consented to calls.",
        "CONSENT_SOURCE": "How or where the contact consented.",
        "EXTERNAL_ID": "The contact's id in another system.",
        "VARIABLE": "A variable that is passed to the assistant.",
        "IGNORED": "Not kept.",
    },
    "ContactStatus": {
        **_OF_CALLS,
        "PENDING": "A call is still to be placed.",
        "CANCELED": "The contact was withheld, or its campaign was canceled before a"
        " call.",
    },
    "DialMode": {
        "CONTINUOUS": "A new call starts as soon as a slot is free.",
        "BATCH": "As many calls as slots start at once, the next ones when all of these"
        " have ended.",
    },
    "Disposition": {
        "GOAL_REACHED": "The call achieved what the campaign is for.",
        "CALLBACK_REQUESTED": "The person asked to be called later.",
        "OPTED_OUT": "The person asked not to be called again; the number is put on the"
        " register.",
        "WRONG_PERSON": "Somebody else answered.",
        "NOT_INTERESTED": "The person declined the offer.",
        "OTHER": "Any other result.",
    },
    "ErrorCode": {
        "INVALID": "A value is wrong; fields names it.",
        "NOT_FOUND": "There is no object with this id.",
        "CONFLICT": "It contradicts something that was stored earlier.",
        "WRONG_STATE": "The state of the object does not allow it.",
        "IN_USE": "Unfinished work uses the object.",
        "PROVIDER_REFUSED": "The provider refused it.",
        "PROVIDER_UNAVAILABLE": "The provider did not answer; try again.",
    },
    "Freshness": {
        "FRESH": "More than a week before its maximum age.",
        "EXPIRING": "Within a week of its maximum age.",
        "STALE": "Older than its maximum age: numbers that it covers are not called.",
    },
    "HealthStatus": {
        "OK": "It works.",
        "DEGRADED": "It works in part; the detail says what to do.",
        "DOWN": "It does not work; the detail says what to do.",
    },
    "HoursRule": {
        "LAW": "The hours of the rule book apply.",
        "ANY": "An admin waived the hours of the rule book.",
    },
    "PauseCause": {
        "PERSON": "A member paused it.",
        "BUDGET": "Its budget is spent.",
        "ACCOUNT": "The provider refuses the account, the assistant or the line.",
        "PROVIDER_REFUSALS": "The provider refused many calls in a row.",
        "DUPLICATE_DETECTED": "The provider has two calls for one of ours.",
    },
    "RehearsalScenario": {
        "NORMAL": "A person answers two of three calls.",
        "FEW_ANSWER": "A person answers one of eight calls.",
        "EVERYBODY_ANSWERS": "A person answers every call.",
        "PROVIDER_OUTAGE": "In the middle the provider gives no answer for 30 minutes.",
        "PROVIDER_REFUSES": "The provider refuses all calls beyond two at a time.",
    },
    "Role": {
        "OPERATOR": "Runs campaigns.",
        "ADMIN": "Runs campaigns, reads the log, and changes members, settings and"
        " assistants.",
        "AUDITOR": "Reads everything, the log included, and changes nothing.",
    },
    "RulesMode": {
        "ENFORCED": "The hours of the rule book apply.",
        "OFF": "The hours of the rule book are waived for all campaigns.",
    },
    "SkipReason": {
        "MISSING_NAME": "The file has a column of names, and the cell is empty.",
        "MISSING_PHONE": "The phone number is missing.",
        "INVALID_PHONE": "The cell is not a phone number that may be called.",
        "DUPLICATE_IN_FILE": "An earlier row of the file has the same number.",
        "DUPLICATE_IN_CAMPAIGN": "The campaign has a contact with the same number.",
        "MALFORMED_ROW": "The row has other fields than the header.",
        "ERASED": "The number was erased.",
        "INVALID_VALUE": "A time zone, country, state or consent date is not valid.",
    },
    "SuppressionSource": {
        "CALL": "The person opted out during a call.",
        "PERSON": "A member added it, in the dashboard or on the command line.",
        "IMPORT": "It comes from a list.",
        "API": "A program added it, with an API token.",
    },
    "WaitingCode": {
        "CAP_FULL": "The campaign has as many calls at once as its cap allows.",
        "GLOBAL_CAP_FULL": "All campaigns together have as many as the global cap"
        " allows.",
        "BATCH_UNDER_WAY": "Calls of the batch before have not ended.",
        "LINE_BUSY": "A call is live on the line.",
        "RATE_LIMITED": "The number of calls started per second is limited.",
        "PROVIDER_BUSY": "The provider has no capacity for a further call.",
        "PROVIDER_DOWN": "The provider cannot be reached.",
        "BUDGET_SPENT": "The campaign's budget is spent.",
        "DAILY_BUDGET_SPENT": "The daily budget of the installation is spent.",
        "PAUSED": "The campaign is paused.",
        "RETRY_LATER": "The request is made again later.",
        "OUTCOME_UNKNOWN": "The provider is asked whether it accepted a request.",
        "DUPLICATE_DETECTED": "Dialling is stopped until a person has checked two calls"
        " for one of ours.",
        "SCHEDULED": "The campaign's start time has not come yet.",
        "OUTSIDE_HOURS": "Calls are not allowed at the contact's place at this time.",
        "RETRY_PLANNED": "A retry is planned for a later time.",
        "CALLBACK_PLANNED": "The contact asked to be called at a later time.",
        "FREQUENCY_CAP": "The number was called as often as the frequency caps allow.",
        "LIST_STALE": "A suppression list that covers the number is older than its"
        " maximum age.",
        "RULES_UNAVAILABLE": "The rule book or a list cannot be read, or the places are"
        " not known yet.",
        "NO_RULES": "There are no calling rules for the country; an admin may waive"
        " them.",
    },
    "Weekday": {
        "MON": "Monday.",
        "TUE": "Tuesday.",
        "WED": "Wednesday.",
        "THU": "Thursday.",
        "FRI": "Friday.",
        "SAT": "Saturday.",
        "SUN": "Sunday.",
    },
    "Withheld": {
        "SUPPRESSED": "The number is on the do-not-call register or on a list.",
        "NO_CONSENT": "The campaign requires consent, and the file states none.",
        "PLACE_UNKNOWN": "The place of the number is not known, so no rules apply.",
        "EXPIRED": "The campaign's end came before the call.",
        "REMOVED": "A member removed the contact.",
    },
}
"""By the name of the enumeration and the value."""
