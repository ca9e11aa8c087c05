// @ts-check
import { html } from "../../lib.js";
import { may } from "../../api.js";
import { NO_ADVICE, PURPOSES } from "../../gate_words.js";
import { Field } from "../../ui.js";
import { Blackouts, Times, Waiver, Windows } from "./hours.js";

/** @typedef {import("./form.js").Form} Form */
/** @typedef {{ currentTarget: HTMLInputElement }} Input */

/** For what purpose and between which times people are called. @param {import("./hours.js").Part} props */
export function When({ form, set, wrong }) {
  return html`<div class="form">
      <${Field} label="Purpose of the calls" error=${wrong.purpose} hint="The calling rules depend on it.">
        ${(/** @type {any} */ a) =>
          html`<select
            ...${a}
            value=${form.purpose}
            onInput=${(/** @type {any} */ e) => set({ purpose: e.currentTarget.value })}
          >
            ${PURPOSES.map(([code, text]) => html`<option key=${code} value=${code}>${text}</option>`)}
          </select>`}<//
      >
      <${Times} form=${form} set=${set} wrong=${wrong} />
    </div>
    <${Windows} form=${form} set=${set} wrong=${wrong} />
    <${Blackouts} form=${form} set=${set} />
    <label class="tick"
      ><input
        type="checkbox"
        checked=${form.requireConsent}
        onChange=${(/** @type {Input} */ e) => set({ requireConsent: e.currentTarget.checked })}
      /><span
        >Call only people with a recorded consent<span
          >The file needs a column with the date of the consent.</span
        ></span
      ></label
    >
    ${may.admin() && html`<${Waiver} form=${form} set=${set} wrong=${wrong} />`}
    <p class="hint">
      Whatever you choose here, the <a href="/rules">calling rules</a> of each contact's place apply too. ${NO_ADVICE}
    </p>`;
}
