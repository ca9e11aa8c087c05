// @ts-check
import { html } from "../../lib.js";
import { useQuery } from "../../api.js";
import { counted, dayAndTime, regionName, words } from "../../format.js";
import { RetryTimetable } from "../../ops.js";
import { Field, Trouble } from "../../ui.js";
import { hoursOf } from "./form.js";

/** @typedef {import("./form.js").Form} Form */
/** @typedef {import("./form.js").Policy} Policy */

/** Numbers of a policy that can be changed: name, label, smallest and largest value. */
const NUMBERS = /** @type {const} */ ([
  ["attempts", "Calls in total, at most", 1, 10],
  ["perDay", "Calls a day, at most", 1, 5],
  ["minGapMinutes", "Minutes between two calls, at least", 1, 10_080],
  ["expiresAfterDays", "Days until a contact is given up", 1, 60],
]);

/**
 * How often each contact is called, with the worst case of its times.
 * @param {{
 *   form: Form,
 *   set: import("./form.js").Set,
 *   wrong: Record<string, string>,
 *   choices: import("../../ops.js").RetryChoicesData | null | undefined,
 *   country: string,
 * }} props `country` is the place of the timetable
 */
export function Again({ form, set, wrong, choices, country }) {
  const presets = (choices?.retryPresets ?? []).filter((one) => one.name !== "once");
  /** @param {string} name */
  const choose = (name) => {
    if (name === "own") return;
    set({ retry: name, policy: presets.find((one) => one.name === name)?.policy ?? null });
  };
  const { policy } = form;
  return html`<div class="form">
      <${Field}
        label="Calls to a contact"
        error=${wrong.retryPolicy}
        hint="After busy, no answer, voicemail and faults"
      >
        ${(/** @type {any} */ a) =>
          html`<select
            ...${a}
            value=${form.retry}
            onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => choose(e.currentTarget.value)}
          >
            <option value="">Once</option>
            ${presets.map(
              (one) =>
                html`<option key=${one.name} value=${one.name}>
                  ${words(one.name)}: up to ${counted(one.policy.attempts, "call")}
                </option>`,
            )}
            ${form.retry === "own" && html`<option value="own">As set below</option>`}
          </select>`}<//
      >
      ${
        policy &&
        NUMBERS.map(
          ([name, label, min, max]) =>
            html`<${Field} key=${name} label=${label} error=${wrong[name]}
              >${(/** @type {any} */ a) =>
                html`<input
                  ...${a}
                  type="number"
                  min=${min}
                  max=${max}
                  value=${policy[name]}
                  onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
                    set({ retry: "own", policy: { ...policy, [name]: Number(e.currentTarget.value) } })}
                />`}<//
            >`,
        )
      }
    </div>
    ${policy && html`<${Rules} policy=${policy} /> <${Timetable} form=${form} policy=${policy} country=${country} />`}`;
}

/** After which outcomes a contact is called again. @param {{ policy: Policy }} props */
const Rules = ({ policy }) =>
  html`<ul class="reasons">
    ${policy.rules.map(
      (rule) =>
        html`<li key=${rule.outcomes.join()}>
          <b>${rule.attempts}×</b
          ><span
            >after ${rule.outcomes.map((one) => words(one).toLowerCase()).join(", ")}<span class="hint">
              ${` after ${rule.gapsMinutes.map(gapOf).join(", then ")}${
                rule.otherTimeOfDay ? ", at another time of day" : ""
              }`}</span
            ></span
          >
        </li>`,
    )}
  </ul>`;

/** @param {number} minutes */
const gapOf = (minutes) =>
  minutes % 60 ? `${minutes} min` : minutes % 1440 ? `${minutes / 60} h` : `${minutes / 1440} d`;

/**
 * The latest times of all calls if the campaign is started now.
 * @param {{ form: Form, policy: Policy, country: string }} props
 */
function Timetable({ form, policy, country }) {
  const read = useQuery(RetryTimetable, { policy, place: country, callingHours: hoursOf(form) });
  const times = read.data?.retryTimetable ?? [];
  if (read.error) return html`<${Trouble} error=${read.error} again=${read.reload} />`;
  if (!times.length) return null;
  return html`<div aria-label="Latest times of the calls" role="group">
    <p class="hint">If it starts now, a contact in ${regionName(country)} is called at the latest, in your time:</p>
    <ol class="num">
      ${times.map((at) => html`<li key=${at}><time datetime=${at}>${dayAndTime(at)}</time></li>`)}
    </ol>
  </div>`;
}
