// @ts-check
import { copyOf, hoursOf, localTime, resultsOf, timesOf } from "../../new_campaign/form.js";

/**
 * The form of an existing campaign, and the input that stores what was changed in it.
 * @typedef {import("../../new_campaign/form.js").Form} Form
 * @typedef {import("../../new_campaign/form.js").Policy} Policy
 * @typedef {NonNullable<import("../../../ops.js").CampaignSettingsData["campaign"]>} Settings
 */

/** @param {Settings} campaign @returns {Form} */
export const formOf = (campaign) => ({
  ...copyOf(campaign),
  name: campaign.name,
  startsAt: localTime(campaign.startsAt),
  endsAt: localTime(campaign.endsAt),
  isWaived: campaign.callingHours.rules === "ANY",
  waiver: campaign.callingHours.reason ?? "",
});

/** @param {Form} form @param {Policy} once the policy of one call to each contact */
const settingsOf = (form, once) => ({
  name: form.name.trim(),
  cap: Number(form.cap),
  budget: form.budget || null,
  assistantId: form.assistantId,
  phoneNumberId: form.phoneNumberId,
  lineQuietGating: form.lineQuietGating,
  retryPolicy: form.policy ?? once,
  callingHours: hoursOf(form),
  ...resultsOf(form),
  ...timesOf(form),
});

/**
 * The settings in which two forms differ; the API leaves the others as they are.
 * @param {Form} before
 * @param {Form} after
 * @param {Policy} once
 * @returns {import("../../../ops.js").UpdateCampaignInput}
 */
export function changesOf(before, after, once) {
  const [old, now] = [settingsOf(before, once), settingsOf(after, once)];
  const changed = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[/** @type {keyof typeof old} */ (name)]),
  );
  return Object.fromEntries(changed);
}

/**
 * Why the line, the assistant, the terms, the hours and the start cannot be changed now; "" if they can.
 * @param {Settings} campaign
 * @param {string} state of the campaign
 * @param {boolean} isAdmin whether the viewer is an admin
 * @param {number} now in milliseconds
 */
export function locksOf({ arms, endsAt, startedAt, callingHours }, state, isAdmin, now) {
  const line =
    state === "CREATED" || state === "PAUSED" ? "" : "Pause the campaign to change its assistant or its line.";
  const terms = endsAt && Date.parse(endsAt) <= now ? "The campaign's end has passed; that is final." : "";
  const waived = callingHours.rules === "ANY" && !isAdmin;
  return {
    line,
    assistant: arms.length
      ? "The campaign compares assistants, which cannot change. Create a new campaign, or redial its contacts."
      : line,
    terms,
    start: startedAt ? "The first call was placed already; the start cannot be changed any more." : "",
    hours:
      terms ||
      (waived
        ? `${callingHours.waivedBy} waived the calling rules for this campaign: only an admin can change its hours.`
        : ""),
  };
}
