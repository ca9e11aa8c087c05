// @ts-check
import { counted, words } from "./format.js";

/** @typedef {import("./ops.js").WaitingCode} WaitingCode */
/** @typedef {import("./ops.js").Withheld} Withheld */
/** @typedef {import("./ops.js").CallPurpose} CallPurpose */

export const NO_ADVICE = "A starting point, not legal advice.";

/** @type {[CallPurpose, string][]} */
export const PURPOSES = [
  ["TELEMARKETING", "Telemarketing"],
  ["INFORMATIONAL", "Information"],
  ["SURVEY", "Survey"],
  ["DEBT_COLLECTION", "Debt collection"],
];

/** Why contacts wait. @type {Partial<Record<WaitingCode, string>>} */
const WAITING = {
  CAP_FULL: "All places of the campaign are taken",
  GLOBAL_CAP_FULL: "All places of the installation are taken",
  BATCH_UNDER_WAY: "The batch before is under way",
  LINE_BUSY: "A call is live on the line",
  RATE_LIMITED: "Calls started per second are limited",
  PROVIDER_BUSY: "The provider has no free place",
  PROVIDER_DOWN: "The provider cannot be reached",
  BUDGET_SPENT: "The campaign's budget is spent",
  DAILY_BUDGET_SPENT: "The daily budget is spent",
  PAUSED: "The campaign is paused",
  RETRY_LATER: "The request is tried again later",
  OUTCOME_UNKNOWN: "The result of a request is being looked up",
  DUPLICATE_DETECTED: "Dialling is stopped after a duplicate call",
  SCHEDULED: "The start time has not come",
  OUTSIDE_HOURS: "Outside the calling hours at the contact's place",
  RETRY_PLANNED: "A retry is planned for later",
  CALLBACK_PLANNED: "A callback is agreed for later",
  FREQUENCY_CAP: "Called as often as the limits allow",
  LIST_STALE: "A do-not-call list has expired",
  RULES_UNAVAILABLE: "The calling rules or a list cannot be read",
  NO_RULES: "No calling rules for the country",
};

/** Why contacts are never called. @type {Record<Withheld, string>} */
const NEVER = {
  SUPPRESSED: "On the do-not-call register or a list",
  NO_CONSENT: "No consent is recorded",
  PLACE_UNKNOWN: "The place of the number is unknown",
  EXPIRED: "The campaign ended before the call",
  REMOVED: "Removed by a member",
};

/** How places were determined. @type {Record<string, string>} */
const SOURCES = {
  COLUMN: "time zone or place in the file",
  POSTAL_CODE: "postal code",
  SUBDIVISION: "state or province",
  NUMBER: "phone number",
};

/** @param {WaitingCode} code */
export const waitingWords = (code) => WAITING[code] ?? words(code);
/** @param {Withheld} reason */
export const neverWords = (reason) => NEVER[reason] ?? words(reason);
/** @param {string} source */
export const sourceWords = (source) => SOURCES[source] ?? words(source);
/** Purposes as text; none means all. @param {readonly CallPurpose[]} purposes */
export const purposeWords = (purposes) =>
  purposes.length && purposes.length < PURPOSES.length
    ? PURPOSES.filter(([code]) => purposes.includes(code))
        .map(([, text]) => text)
        .join(", ")
    : "All purposes";
/** Limits of calls to one number as text. @param {readonly { attempts: number, hours: number }[]} caps */
export const capWords = (caps) => caps.map((one) => `${one.attempts} in ${spanOf(one.hours)}`).join(", ");

/** @param {number} hours */
const spanOf = (hours) => (hours % 24 || hours === 24 ? counted(hours, "hour") : counted(hours / 24, "day"));
