// @ts-check
import { html, useState } from "../../lib.js";
import { calendarDate, words } from "../../format.js";
import { Field, Icon } from "../../ui.js";
import { WEEKDAYS } from "./form.js";

/** @typedef {import("./form.js").Form} Form */
/** @typedef {{ form: Form, set: import("./form.js").Set, wrong: Record<string, string> }} Part */
/** @typedef {{ currentTarget: HTMLInputElement }} Input */

/**
 * First and last time of the calls, and the last start before the hours end.
 * @param {Part & { locked?: string }} props `locked` is why the start cannot be changed
 */
export function Times({ form, set, wrong, locked }) {
  /** @param {"startsAt" | "endsAt" | "lastStartMinutes"} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {Input} */ e) => set({ [name]: e.currentTarget.value }),
  });
  return html`<${Field}
      label="Not before"
      error=${wrong.startsAt}
      hint=${locked || "In your time. Empty: as soon as it is started"}
    >
      ${(/** @type {any} */ a) =>
        html`<input ...${a} ...${bind("startsAt")} type="datetime-local" disabled=${Boolean(locked)} />`}<//
    >
    <${Field} label="Ends" error=${wrong.endsAt} hint="In your time. Empty: when every contact is finished">
      ${(/** @type {any} */ a) => html`<input ...${a} ...${bind("endsAt")} type="datetime-local" />`}<//
    >
    <${Field} label="Last start, in minutes before the end" error=${wrong.lastStartMinutes}>
      ${(/** @type {any} */ a) =>
        html`<input ...${a} ...${bind("lastStartMinutes")} type="number" min="0" max="240" />`}<//
    >`;
}

/** Whether the hours of the calling rules are waived, and why; for admins. @param {Part} props */
export const Waiver = ({ form, set, wrong }) =>
  html`<label class="tick"
      ><input
        type="checkbox"
        checked=${form.isWaived}
        onChange=${(/** @type {Input} */ e) => set({ isWaived: e.currentTarget.checked })}
      /><span>Waive the hours of the calling rules<span>Your name and the reason are recorded.</span></span></label
    >
    ${
      form.isWaived &&
      html`<${Field} label="Reason of the waiver" error=${wrong.waiver || wrong.reason}
        >${(/** @type {any} */ a) =>
          html`<input
            ...${a}
            value=${form.waiver}
            onInput=${(/** @type {Input} */ e) => set({ waiver: e.currentTarget.value })}
            maxlength="500"
          />`}<//
      >`
    }`;

/** The campaign's own hours in the contact's time. @param {Part} props */
export function Windows({ form, set, wrong }) {
  const { windows } = form;
  /** @param {number} at @param {Partial<typeof windows[number]>} change */
  const amend = (at, change) => set({ windows: windows.map((one, i) => (i === at ? { ...one, ...change } : one)) });
  return html`<fieldset>
    <legend>Own hours, in the contact's time</legend>
    ${!windows.length && html`<p class="hint">None: all hours that the rules allow.</p>`}
    ${windows.map(
      (window, at) =>
        html`<div key=${at} class="row window">
          <div class="chips" role="group" aria-label=${`Days of row ${at + 1}`}>
            ${WEEKDAYS.map(
              (day) =>
                html`<button
                  type="button"
                  key=${day}
                  aria-pressed=${window.days.includes(day)}
                  onClick=${() =>
                    amend(at, {
                      days: window.days.includes(day)
                        ? window.days.filter((one) => one !== day)
                        : WEEKDAYS.filter((one) => one === day || window.days.includes(one)),
                    })}
                >
                  ${words(day)}
                </button>`,
            )}
          </div>
          <${Clock}
            label=${`Row ${at + 1} from`}
            value=${window.from}
            set=${(/** @type {string} */ from) => amend(at, { from })}
          />
          <span>to</span>
          <${Clock}
            label=${`Row ${at + 1} to`}
            value=${window.to}
            set=${(/** @type {string} */ to) => amend(at, { to })}
          />
          <button
            type="button"
            class="ghost"
            aria-label=${`Remove row ${at + 1}`}
            onClick=${() => set({ windows: windows.filter((_, i) => i !== at) })}
          >
            <${Icon} name="close" />
          </button>
        </div>`,
    )}
    ${
      (wrong.windows || wrong.callingHours) &&
      html`<p class="wrong" role="alert">${wrong.windows || wrong.callingHours}</p>`
    }
    <div>
      <button
        type="button"
        onClick=${() => set({ windows: [...windows, { days: WEEKDAYS.slice(0, 5), from: "09:00", to: "17:00" }] })}
      >
        <${Icon} name="plus" />Add hours
      </button>
    </div>
  </fieldset>`;
}

/** @param {{ label: string, value: string, set: (value: string) => void }} props */
const Clock = ({ label, value, set }) =>
  html`<input
    type="time"
    class="narrow"
    aria-label=${label}
    value=${value}
    onInput=${(/** @type {Input} */ e) => set(e.currentTarget.value)}
  />`;

/** Days on which nobody is called. @param {Omit<Part, "wrong">} props */
export function Blackouts({ form, set }) {
  const [date, setDate] = useState("");
  const { blackoutDates } = form;
  const add = () => {
    set({ blackoutDates: [...new Set([...blackoutDates, date])].sort() });
    setDate("");
  };
  return html`<fieldset>
    <legend>Days without calls</legend>
    ${
      blackoutDates.length > 0 &&
      html`<ul class="chips">
        ${blackoutDates.map(
          (one) =>
            html`<li key=${one}>
              <button
                type="button"
                title="Remove this day"
                onClick=${() => set({ blackoutDates: blackoutDates.filter((other) => other !== one) })}
              >
                ${calendarDate(one)}<${Icon} name="close" />
              </button>
            </li>`,
        )}
      </ul>`
    }
    <div class="row">
      <input
        type="date"
        class="narrow"
        aria-label="Day without calls"
        value=${date}
        onInput=${(/** @type {Input} */ e) => setDate(e.currentTarget.value)}
      />
      <button type="button" disabled=${!date} onClick=${add}>Add the day</button>
    </div>
  </fieldset>`;
}
