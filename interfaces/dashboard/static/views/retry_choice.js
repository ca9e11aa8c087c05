// @ts-check
import { html } from "../lib.js";
import { useQuery } from "../api.js";
import { dayAndTime, words } from "../format.js";
import { RetryChoices, RetryTimetable } from "../ops.js";
import { Field } from "../ui.js";

/** @typedef {{ retry: string, startsAt: string, endsAt: string }} Terms */
/** @typedef {import("../ops.js").RetryChoicesData["retryPresets"][number]["policy"]} Policy */

export const NO_TERMS = { retry: "", startsAt: "", endsAt: "" };
const PLACE = "US";

/** A local date and time as an instant. @param {string} local */
const instant = (local) => (local ? new Date(local).toISOString() : null);

/** The input of `createCampaign` for these terms. @param {Terms} terms @param {Policy | null} policy */
export const termsOf = ({ startsAt, endsAt }, policy) => ({
  retryPolicy: policy,
  startsAt: instant(startsAt),
  endsAt: instant(endsAt),
});

/** @param {string} name @param {import("../ops.js").RetryChoicesData | null | undefined} data */
export const policyOf = (name, data) => data?.retryPresets.find((one) => one.name === name)?.policy ?? null;

/**
 * How often each contact is called, and between which times.
 * @param {{
 *   form: Terms,
 *   set: (change: Partial<Terms>) => void,
 *   wrong: Record<string, string>,
 *   choices: import("../ops.js").RetryChoicesData | null | undefined,
 * }} props
 */
export function RetryChoice({ form, set, wrong, choices }) {
  /** @param {keyof Terms} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) => set({ [name]: e.currentTarget.value }),
  });
  const policy = policyOf(form.retry, choices);
  return html`<div class="form">
    <${Field} label="Calls to a contact" error=${wrong.retryPolicy} hint="After busy, no answer, voicemail and faults">
      ${(/** @type {any} */ a) =>
        html`<select ...${a} ...${bind("retry")}>
          <option value="">Once</option>
          ${(choices?.retryPresets ?? [])
            .filter((one) => one.name !== "once")
            .map(
              (one) =>
                html`<option key=${one.name} value=${one.name}>
                  ${words(one.name)}: up to ${one.policy.attempts} calls
                </option>`,
            )}
        </select>`}<//
    >
    <${Field} label="Not before" error=${wrong.startsAt} hint="Empty: as soon as it is started">
      ${(/** @type {any} */ a) => html`<input ...${a} ...${bind("startsAt")} type="datetime-local" />`}<//
    >
    <${Field} label="Ends" error=${wrong.endsAt} hint="Empty: when every contact is finished">
      ${(/** @type {any} */ a) => html`<input ...${a} ...${bind("endsAt")} type="datetime-local" />`}<//
    >
    ${policy && html`<${Timetable} key=${form.retry} policy=${policy} />`}
  </div>`;
}

/** The latest times of all calls if the campaign is started now. @param {{ policy: Policy }} props */
function Timetable({ policy }) {
  const read = useQuery(RetryTimetable, { policy, place: PLACE });
  const times = read.data?.retryTimetable ?? [];
  if (!times.length) return null;
  return html`<div class="full" aria-label="Latest times of the calls">
    <p class="hint">If it starts now, a contact in the United States is called at the latest:</p>
    <ol class="num">
      ${times.map((at) => html`<li key=${at}><time datetime=${at}>${dayAndTime(at)}</time></li>`)}
    </ol>
  </div>`;
}
