// @ts-check
/** @type {import("../../ops.js").CallOutcome[]} */
export const CALL_OUTCOMES = [
  "HUMAN",
  "DROPPED_EARLY",
  "VOICEMAIL",
  "SCREENED",
  "SILENT",
  "NO_ANSWER",
  "BUSY",
  "DECLINED",
  "INVALID_NUMBER",
  "FAULT",
  "NOT_STARTED",
  "CANCELED",
  "UNKNOWN",
];
/** @type {import("../../ops.js").ContactStatus[]} */
export const STATUSES = ["PENDING", "QUEUED", "RINGING", "IN_PROGRESS", "ENDED", "FAILED", "CANCELED", "TIMEOUT"];
