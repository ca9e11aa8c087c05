"""Descriptions of the fields of campaigns, assistants, and pages of lists."""

from collections.abc import Mapping

EDGE = {
    "node": "The item.",
    "cursor": "Cursor of the item, for the argument after.",
}
PAGE = {
    "edges": "The items of this page, each with its cursor.",
    "nodes": "The items of this page, without cursors.",
    "pageInfo": "Whether another page follows, and the cursor to request it.",
}
ASSISTANT_FORM = {
    "firstMessage": "What the assistant says first; variables as in {{name}}.",
    "prompt": "Instructions for the assistant; variables as in {{name}}.",
    "model": "Language model as PROVIDER/NAME.",
    "voice": "Voice as PROVIDER/NAME.",
    "voicemailMessage": "What the assistant says to an answering machine, at most 1,000"
    " characters.",
    "longestCallSeconds": "Seconds after which the provider ends a call, 10 to 43,200.",
}
NAME = "Name of the campaign, 1 to 200 characters."
CAP = "Maximum number of concurrent calls, 1 to 10,000."
LINE_QUIET_GATING = (
    "Whether the campaign begins to fill its slots only while no other call is live on"
    " its line."
)
PHONE_NUMBER_ID = "The provider's id of the phone number from which the campaign calls."
BUDGET = "Maximum cost of all calls in US dollars; null for no limit."
RETRY_POLICY = "After which outcomes, when and how often contacts are called again."
OUTPUT_RULES = (
    "Which values of the assistant's outputs give a call a disposition, at most 50"
    " rules."
)
CALLBACK_OUTPUT = (
    "Name of the structured output that contains the requested callback time; null for"
    " none."
)
STARTS_AT = (
    "No call is placed before this time; null means as soon as the campaign is started."
)
ENDS_AT = (
    "No call is placed at this time or later, and contacts still waiting are withheld"
    " as EXPIRED; null for no end."
)
CALLING_HOURS = "When contacts may be called"
REQUIRE_CONSENT = (
    "Whether contacts without a consent date in the file are withheld as NO_CONSENT."
)

CAMPAIGNS: Mapping[str, Mapping[str, str]] = {
    "Campaign": {
        "id": "Id of the campaign (UUID).",
        "name": "Name of the campaign.",
        "state": "Present state of the campaign.",
        "mode": "How the campaign fills its slots.",
        "cap": CAP,
        "lineQuietGating": LINE_QUIET_GATING,
        "phoneNumberId": PHONE_NUMBER_ID,
        "budget": BUDGET,
        "createdAt": "When the campaign was created.",
        "createdBy": "Who created the campaign: a member's e-mail address, or cli: and"
        " the user of the command line.",
        "completedAt": "When the campaign became COMPLETED, CANCELED or FAILED; null"
        " before that.",
        "retryPolicy": f"{RETRY_POLICY} A policy with one attempt never does.",
        "outputRules": OUTPUT_RULES,
        "callbackOutput": CALLBACK_OUTPUT,
        "purpose": "Purpose of the calls, on which the calling rules depend.",
        "callingHours": f"{CALLING_HOURS}.",
        "requireConsent": REQUIRE_CONSENT,
        "progress": "Numbers of contacts by status, and the spend.",
        "assistant": "The assistant that calls; in a comparison, that of the first"
        " arm.",
        "imports": "The files and redials from which the contacts came, in the order in"
        " which they were imported.",
        "funnel": "Numbers of contacts by the stage that they reached.",
    },
    "CampaignConnection": {
        **PAGE,
        "totalCount": "Number of campaigns on all pages.",
    },
    "CampaignEdge": EDGE,
    "CampaignProgress": {
        "campaignId": "Id of the campaign.",
        "state": "Present state of the campaign.",
        "contacts": "All contacts of the campaign.",
        "pending": "Contacts for whom a call is still to be placed.",
        "queued": "Contacts whose call was claimed or placed, and not yet reported as"
        " ringing.",
        "ringing": "Contacts whose call is ringing.",
        "inProgress": "Contacts whose call was answered and is live.",
        "ended": "Contacts whose latest call has ended.",
        "failed": "Contacts whose latest call failed.",
        "canceled": "Contacts that were withheld, whose call was canceled, or that a"
        " canceled campaign never called.",
        "timedOut": "Contacts whose latest call was given up because nothing was"
        " reported about it.",
        "awaitingReports": "Ended calls whose final report is still awaited.",
        "spend": "Known cost of all calls so far, in US dollars.",
    },
    "ContactConnection": {
        **PAGE,
        "totalCount": "Number of contacts on all pages; at most 10,000 with a search.",
    },
    "ContactEdge": EDGE,
    "DispatchDecision": {
        "decidedAt": "When the scheduler made the decision.",
        "room": "Number of slots of the campaign that were free.",
        "placed": "Number of calls that were placed.",
        "reasons": "Why the other pending contacts were not called.",
    },
    "ImportedCampaign": {
        "campaign": "The campaign after the import.",
        "report": "Which rows became contacts, and which were skipped.",
    },
    "PageInfo": {
        "hasNextPage": "Whether another page follows.",
        "endCursor": "Cursor of the last item, for the argument after; null if the page"
        " is empty.",
    },
    "WaitingReason": {
        "code": "Why the contacts wait, for programs.",
        "message": "Why the contacts wait, for people.",
        "contacts": "Number of contacts that wait for this reason.",
        "until": "When the reason ends for the first of these contacts; null if no time"
        " is known.",
    },
}

CAMPAIGN_INPUTS: Mapping[str, Mapping[str, str]] = {
    "ArmInput": {
        "assistantId": "Our id of the assistant.",
        "share": "Share of the contacts in percent, at least 1. The first assistant has"
        " the rest, which must be at least 1 as well.",
    },
    "CreateCampaignInput": {
        "name": NAME,
        "uploadId": "Id of the upload whose accepted rows become the contacts; null for"
        " a redial.",
        "assistantId": "Our id of the assistant that calls.",
        "phoneNumberId": PHONE_NUMBER_ID,
        "mode": "How the campaign fills its slots.",
        "lineQuietGating": LINE_QUIET_GATING,
        "budget": BUDGET,
        "redial": "Contacts of another campaign that become the contacts of this one;"
        " null for an upload.",
        "outputRules": OUTPUT_RULES,
        "startsAt": STARTS_AT,
        "endsAt": ENDS_AT,
        "purpose": "Purpose of the calls, on which the calling rules depend.",
        "callingHours": f"{CALLING_HOURS}; null for the hours of the rule book.",
        "requireConsent": REQUIRE_CONSENT,
    },
    "RedialInput": {
        "campaignId": "Id of the campaign from which the contacts are taken.",
        "statuses": "Only contacts with one of these statuses; null for all finished"
        " contacts.",
        "outcomes": "Only contacts with one of these outcomes; null for all.",
        "dispositions": "Only contacts with one of these dispositions; null for all.",
        "contactIds": "Only these contacts, at most 1,000; null for all.",
    },
    "TestCallInput": {
        "assistantId": "Our id of the assistant that calls.",
        "phoneNumberId": "The provider's id of the phone number from which to call.",
        "phone": "Number to call, E.164 or as written in the default region of the"
        " settings.",
        "name": "Name of the person who is called.",
        "variables": "Values of the assistant's variables by name, as a JSON object of"
        " texts, at most 200; null for none.",
        "requestId": "A UUID that identifies the request. If it is null, equal input of"
        " the same member within ten minutes counts as the same request.",
    },
    "UpdateCampaignInput": {
        "phoneNumberId": PHONE_NUMBER_ID,
        "name": NAME,
        "cap": CAP,
        "lineQuietGating": LINE_QUIET_GATING,
        "budget": BUDGET,
        "retryPolicy": RETRY_POLICY,
        "outputRules": f"{OUTPUT_RULES} They replace the earlier ones.",
        "callbackOutput": CALLBACK_OUTPUT,
        "startsAt": f"{STARTS_AT} A change after the first call is refused with"
        " WRONG_STATE.",
        "endsAt": ENDS_AT,
        "callingHours": f"{CALLING_HOURS}; they replace the earlier hours.",
    },
}

ASSISTANTS: Mapping[str, Mapping[str, str]] = {
    "Assistant": {
        "id": "Our id of the assistant (UUID).",
        "name": "Name of the assistant.",
        "providerAssistantId": "The provider's id of the assistant.",
        "archived": "Whether the assistant was archived; new campaigns cannot use it.",
        "form": "Parts of the configuration that every assistant has.",
    },
    "AssistantDraft": {"form": "The fields that were read from this configuration."},
    "AssistantFormInput": ASSISTANT_FORM,
    "CreateAssistantInput": {
        "name": "Name of the assistant.",
        "config": "Configuration in the provider's format; null for an example.",
        "form": "Values to write into the configuration; null for none.",
    },
    "ProviderAssistant": {
        "providerAssistantId": "The provider's id of the assistant.",
        "name": "The provider's name of the assistant; null if it has none.",
    },
    "UpdateAssistantInput": {
        "name": "New name of the assistant.",
        "config": "Keys of the provider's configuration to replace, with their new"
        " values.",
        "form": "Values to write into the configuration.",
    },
}

COMPARISONS: Mapping[str, Mapping[str, str]] = {
    "Arm": {
        "calls": "Calls placed to the arm's contacts.",
        "answered": "Contacts with a call that a person or a machine answered.",
        "human": "Contacts with a call that a person answered.",
        "low": "Lower bound of the 95 % interval of the difference between the goal"
        " rates of this arm and of the first one, -1 to 1. Null for the first arm, and"
        " until both have finished contacts.",
        "high": "Upper bound of that interval; null in the same cases.",
    },
}

FIELDS = {**CAMPAIGNS, **CAMPAIGN_INPUTS, **ASSISTANTS, **COMPARISONS}
"""Descriptions by the name of the type and of its field."""
