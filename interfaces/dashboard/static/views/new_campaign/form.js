// @ts-check
import { armsOf, NO_ARMS } from "./arms_choice.js";
import { ruleFaults, rulesOf } from "./output_values.js";

/**
 * The form of a new campaign, and its conversion from and to the API.
 * @typedef {import("../../ops.js").RetryChoicesData["retryPresets"][number]["policy"]} Policy
 * @typedef {{ days: import("../../ops.js").Weekday[], from: string, to: string }} Hours
 * @typedef {ReturnType<typeof emptyForm>} Form
 * @typedef {(change: Partial<Form>) => void} Set
 */

/** @type {import("../../ops.js").Weekday[]} */
export const WEEKDAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
export const LAST_START_MINUTES = 5;

export const emptyForm = () => ({
  requestId: crypto.randomUUID?.() ?? null,
  name: "",
  assistantId: "",
  phoneNumberId: "",
  cap: "",
  mode: /** @type {import("../../ops.js").DialMode} */ ("CONTINUOUS"),
  lineQuietGating: false,
  budget: "",
  purpose: /** @type {import("../../ops.js").CallPurpose} */ ("TELEMARKETING"),
  requireConsent: false,
  windows: /** @type {Hours[]} */ ([]),
  blackoutDates: /** @type {string[]} */ ([]),
  lastStartMinutes: String(LAST_START_MINUTES),
  waiver: "",
  isWaived: false,
  startsAt: "",
  endsAt: "",
  retry: "",
  policy: /** @type {Policy | null} */ (null),
  outputRules: /** @type {import("./output_values.js").RuleRow[]} */ ([]),
  callbackOutput: "",
  ...NO_ARMS,
});

/** A local date and time as an instant. @param {string} local */
const instant = (local) => (local ? new Date(local).toISOString() : null);

/** An instant as a local date and time, to the minute. @param {string | null} at */
export function localTime(at) {
  if (!at) return "";
  const time = new Date(at);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {Form} form @returns {import("../../ops.js").CallingHoursInput} */
export const hoursOf = (form) => ({
  rules: form.isWaived ? "ANY" : "LAW",
  reason: form.isWaived ? form.waiver.trim() : null,
  windows: form.windows.filter((one) => one.days.length && one.from && one.to),
  blackoutDates: form.blackoutDates,
  lastStartMinutes: Number(form.lastStartMinutes || LAST_START_MINUTES),
});

/**
 * The settings that decide who may be called.
 * @param {Form} form
 * @returns {import("../campaign/dialability.js").Terms}
 */
export const gateTerms = (form) => ({
  purpose: form.purpose,
  callingHours: hoursOf(form),
  requireConsent: form.requireConsent,
});

/** @param {Form} form @param {string | null} uploadId @returns {import("../../ops.js").CreateCampaignInput} */
export const inputOf = (form, uploadId) => ({
  requestId: form.requestId,
  name: form.name.trim(),
  uploadId,
  assistantId: form.assistantId,
  phoneNumberId: form.phoneNumberId,
  cap: form.cap ? Number(form.cap) : null,
  mode: form.mode,
  lineQuietGating: form.lineQuietGating,
  budget: form.budget || null,
  ...gateTerms(form),
  ...armsOf(form),
  retryPolicy: form.policy,
  ...resultsOf(form),
  ...timesOf(form),
});

/** What the outputs of a call mean. @param {Form} form */
export const resultsOf = (form) => ({
  outputRules: rulesOf(form.outputRules),
  callbackOutput: form.callbackOutput.trim() || null,
});

/** @param {Form} form */
export const timesOf = (form) => ({ startsAt: instant(form.startsAt), endsAt: instant(form.endsAt) });

/**
 * The settings of another campaign, without its contacts, its times and a waiver.
 * @param {NonNullable<import("../../ops.js").CampaignSettingsData["campaign"]>} campaign
 * @returns {Form}
 */
export const copyOf = (campaign) => ({
  ...emptyForm(),
  name: `Copy of ${campaign.name}`.slice(0, 200),
  assistantId: campaign.assistant.id,
  phoneNumberId: campaign.phoneNumberId,
  cap: String(campaign.cap),
  mode: campaign.mode,
  lineQuietGating: campaign.lineQuietGating,
  budget: campaign.budget ?? "",
  purpose: campaign.purpose,
  requireConsent: campaign.requireConsent,
  windows: campaign.callingHours.windows.map(({ days, from, to }) => ({ days: [...days], from, to })),
  blackoutDates: [...campaign.callingHours.blackoutDates],
  lastStartMinutes: String(campaign.callingHours.lastStartMinutes),
  retry: campaign.retryPolicy.attempts > 1 ? "own" : "",
  policy: campaign.retryPolicy.attempts > 1 ? campaign.retryPolicy : null,
  outputRules: campaign.outputRules.map(({ output, equals, means }) => ({ output, equals, means })),
  callbackOutput: campaign.callbackOutput ?? "",
  arms: campaign.arms.slice(1).map(({ assistant, share }) => ({ assistantId: assistant.id, share })),
});

/**
 * What is missing, by field.
 * @param {Form} form
 * @param {{ report: { accepted: number } } | null} uploaded
 * @returns {Record<string, string>}
 */
export function missing(form, uploaded) {
  return {
    ...(!uploaded && { uploadId: "Choose a file first, and wait until it has been read." }),
    ...(uploaded?.report.accepted === 0 && {
      uploadId: "No row of this file can be called. Fix it and choose it again.",
    }),
    ...(!form.name.trim() && { name: "Enter a name." }),
    ...(!form.assistantId && { assistantId: "Choose an assistant." }),
    ...(!form.phoneNumberId && { phoneNumberId: "Choose a line." }),
    ...termFaults(form),
  };
}

/** Faults of the hours and of the output rules, by field. @param {Form} form @returns {Record<string, string>} */
export const termFaults = (form) => ({
  ...(form.isWaived && !form.waiver.trim() && { waiver: "Enter the reason." }),
  ...(form.windows.some((one) => !one.days.length || !one.from || one.from >= one.to) && {
    windows: "Each row needs a day, and must open before it closes.",
  }),
  ...ruleFaults(form.outputRules),
});

/**
 * Faults of a refused input, by path of the field.
 * @param {{ fields: { path: string[], message: string }[] }} refusal
 */
export const faultsOf = ({ fields }) =>
  Object.fromEntries(fields.map(({ path, message }) => [path.join("."), message]));
