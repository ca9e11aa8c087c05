"""Descriptions of fields of members, settings, health, alerts, webhooks and errors."""

from collections.abc import Mapping

SETTINGS = {
    "defaultCap": "Cap of a campaign that is created without one, 1 to 10,000 calls.",
    "globalCap": "Maximum number of concurrent calls over all campaigns, 1 to 10,000.",
    "tickSeconds": "Seconds between two passes of the scheduler, 1 to 3,600.",
    "silenceTimeoutSeconds": "Seconds without an event after which a call is checked at"
    " the provider, and then timed out; 10 to 86,400.",
    "dialsPerSecond": "Maximum number of calls started per second over all campaigns,"
    " 0.01 to 1,000.",
    "refillImmediately": "Whether a slot is filled as soon as it is free; if false, it"
    " is filled in the scheduler's next pass.",
    "defaultRegion": "Region of phone numbers without a country code, as an ISO 3166-1"
    " code such as US.",
    "dailyBudget": "Budget of all campaigns together for one UTC day, in US dollars;"
    " null for no limit.",
    "spendAlertThreshold": "Share of a budget at which an alert is raised, above 0 and"
    " at most 1; 0.8 is 80 %.",
    "retentionDays": "Days after a call for which the provider's messages, transcripts"
    " and recording URLs are kept, 1 to 36,500; null for no limit.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "Alert": {
        "position": "Position of the alert's event in the event log.",
        "raisedAt": "When the alert was raised.",
        "message": "Text of the alert, for people.",
        "campaignId": "Id of the campaign that the alert concerns; null if it concerns"
        " no single campaign.",
    },
    "ApiToken": {
        "id": "Id of the token (UUID), with which it is revoked. It is not the secret.",
        "email": "E-mail address of the member whose role the token has.",
        "createdAt": "When the token was created.",
    },
    "CampaignSpend": {
        "campaignId": "Id of the campaign.",
        "name": "Name of the campaign.",
        "spend": "Known cost of its calls so far, in US dollars.",
        "budget": "Budget in US dollars; null for no limit.",
    },
    "ComponentHealth": {
        "name": "Name of the component, such as database, scheduler or provider.",
        "status": "Health of the component.",
        "detail": "Explanation for people; null if there is nothing to explain.",
    },
    "FieldError": {
        "path": "Names of the input fields from the outermost to the invalid one.",
        "message": "The fault of the value, in words for people.",
    },
    "Member": {
        "email": "E-mail address, by which the member is identified.",
        "role": "What the member may do.",
        "addedAt": "When the member was added.",
        "addedBy": "Who added the member: the e-mail address of an admin, or cli: and"
        " the user of the command line.",
    },
    "NewToken": {
        "token": "The token, without its secret.",
        "secret": "The secret to send as a bearer token; it cannot be read again.",
    },
    "NewWebhookEndpoint": {
        "endpoint": "The endpoint, without its secret.",
        "secret": "The signing secret, base64 after the prefix whsec_; it cannot be"
        " read again.",
    },
    "PhoneNumber": {
        "id": "The provider's id of the number; a campaign names it as phoneNumberId.",
        "number": "The number as the provider reports it, usually E.164; null if the"
        " provider does not report one.",
        "name": "The provider's name of the number; null if it has none.",
        "status": "The provider's status of the number; null if it reports none.",
        "activeCalls": "Live calls on the number, whether ours or not; null if the"
        " provider did not report them.",
    },
    "Settings": SETTINGS,
    "SettingsInput": {
        **SETTINGS,
        "alertWebhookUrl": "HTTP or HTTPS URL to which alerts are posted as JSON; null"
        " for none.",
        "callingRules": "OFF disables the calling hours of the rule book for all"
        " campaigns and requires callingRulesReason.",
        "frequencyCaps": "All limits on calls to one number, which replace the earlier"
        " ones; at most 20, and an empty list removes them.",
    },
    "SignInLink": {
        "url": "URL to open in a browser; it contains a secret and works once.",
        "expiresAt": "From this time on the link does not work.",
    },
    "SpendAlert": {
        "raisedAt": "When the alert was raised.",
        "message": "Text of the alert, for people.",
        "spend": "Spend when the alert was raised, in US dollars.",
        "budget": "The budget at that time, in US dollars.",
    },
    "SpendSummary": {
        "dailyBudget": "Budget of all campaigns for one UTC day, in US dollars; null"
        " for no limit.",
    },
    "SystemHealth": {
        "status": "Health of the worst component.",
        "components": "Health of each component.",
    },
    "UserError": {
        "code": "Kind of the error, for programs.",
        "message": "What is wrong and what to do, for people.",
    },
    "Viewer": {
        "email": "E-mail address of the member.",
        "role": "What the member may do.",
    },
    "WebhookDelivery": {
        "id": "Id of the delivery, with which it is sent again (resendWebhook).",
        "type": "Type of the message, such as call.finished.",
        "createdAt": "When the message was created.",
        "attempts": "Number of attempts to send the message so far.",
        "deliveredAt": "When the endpoint accepted the message; null before that.",
        "nextAttemptAt": "When the next attempt is due; null if none is planned.",
    },
    "WebhookEndpoint": {
        "id": "Id of the endpoint (UUID).",
        "url": "URL to which the messages are posted.",
        "enabled": "Whether messages are sent to the endpoint.",
        "createdAt": "When the endpoint was added.",
    },
}
"""Descriptions by the name of the type and of its field."""
