"""Descriptions of the fields of contacts, contact files and suppressed numbers."""

from collections.abc import Mapping

PLACES = {
    "places": "All places to which the number may belong, as ISO 3166-1 or 3166-2"
    " codes; empty if unknown.",
    "timeZones": "All IANA time zones to which the number may belong; empty if"
    " unknown.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "CallPreview": {
        "row": "Number of the row in the file; the header is row 1.",
        "firstMessage": "The assistant's first message with the variables filled in;"
        " null if it has none.",
        "systemPrompt": "The assistant's prompt with the variables filled in; null if"
        " it has none.",
        "variables": "The values of the variables by name, as the call would pass them"
        " to the assistant.",
    },
    "ColumnUse": {
        "column": "Name of the column in the header of the file.",
        "role": "What the column is used for.",
    },
    "Contact": {
        "id": "Id of the contact (UUID).",
        "name": "Name of the person; empty after an erasure.",
        "businessName": "Name of the person's business; empty if the file has none, and"
        " after an erasure.",
        "phone": "Phone number, E.164; empty after an erasure.",
        "extension": "Extension of the phone number; null if there is none, and after"
        " an erasure.",
        "erasedAt": "When the personal data was erased; null if it was not.",
        "variables": "Values of the other columns of the file by name, which are passed"
        " to the assistant; empty after an erasure.",
        "status": "Status of the latest call, or PENDING while a call is still to be"
        " placed. CANCELED if the contact was withheld or the campaign was canceled.",
        "withheld": "Why the contact was finished without a call; null unless that is"
        " the case.",
        "call": "The latest call; null before the first.",
    },
    "ContactImport": {
        "id": "Id of the import (UUID).",
        "importedAt": "When the contacts were added to the campaign.",
        "filename": "Name of the file as it was uploaded; empty if it was erased.",
        "report": "Which rows became contacts, and which were skipped.",
    },
    "ContactUpload": {
        "id": "Id of the upload (UUID), with which a campaign is created.",
        "filename": "Name of the file as it was uploaded.",
        "columns": "Names of the columns, in the order of the file.",
        "expiresAt": "When the upload is deleted unless it was imported before.",
        "sample": "The first five accepted rows as they were interpreted, in the order"
        " of the file.",
        "report": "Which rows were accepted, and which were skipped.",
    },
    "CountryCount": {
        "country": "ISO 3166-1 code of the country, such as US.",
        "contacts": "Number of accepted contacts with a number of that country.",
    },
    "ImportReport": {
        "accepted": "Number of rows that became contacts.",
        "skippedCount": "Number of rows that were skipped.",
        "rejectsUrl": "Path of a CSV file with the skipped rows and the reason of each,"
        " relative to the address of the API; null if no row was skipped.",
    },
    "KindCount": {
        "kind": "Kind of the numbers, such as MOBILE or TOLL_FREE.",
        "contacts": "Number of accepted contacts with a number of that kind.",
    },
    "MissingValues": {
        "variable": "Name of the variable.",
        "rows": "Number of accepted rows without a value for it.",
        "firstRows": "Numbers of the first of these rows in the file, at most five.",
        "message": "Warning about these rows, for people.",
    },
    "SampleRow": {
        "row": "Number of the row in the file; the header is row 1.",
        "name": "Name of the person.",
        "businessName": "Name of the person's business; empty if there is none.",
        "phone": "Phone number, E.164.",
        **PLACES,
        "variables": "Values of the other columns by name.",
    },
    "SkippedRow": {
        "row": "Number of the row in the file, as a spreadsheet shows it; the header is"
        " row 1.",
        "reason": "Why the row was skipped, for programs.",
        "message": "Why the row was skipped, for people.",
    },
    "SuppressedNumber": {
        "suppression": "The entry in the register; null if the number is only on an"
        " imported list.",
    },
    "Suppression": {
        "id": "Id of the entry (UUID), with which it is lifted.",
        "source": "Where the entry comes from.",
        "addedAt": "When the number was suppressed.",
        "addedBy": "Who suppressed the number: a member's e-mail address, cli: and the"
        " user of the command line, or a part of the system.",
        "reason": "Reason that a member entered; null if there is none, and after an"
        " erasure.",
    },
    "SuppressionConnection": {
        "nodes": "The entries of this page.",
        "pageInfo": "Whether another page follows, and the cursor to request it.",
        "totalCount": "Number of entries on all pages; at most 10,000 with a search.",
    },
    "SuppressionList": {
        "id": "Id of the list (UUID); a renewed list keeps it.",
        "name": "Name of the list; uploading a list with the same name renews it.",
        "maxAgeDays": "Days after asOf for which the list may be used; null for no"
        " limit.",
        "freshness": "Age of the data on the present UTC date.",
        "numbers": "Number of phone numbers on the list.",
        "uploadedAt": "When this version of the list was uploaded.",
        "uploadedBy": "Who uploaded it: a member's e-mail address, or cli: and the user"
        " of the command line.",
        "sha256": "SHA-256 of the uploaded file, in hexadecimal.",
    },
}
"""Descriptions by the name of the type and of its field."""
