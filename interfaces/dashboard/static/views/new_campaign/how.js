// @ts-check
import { html } from "../../lib.js";
import { useQuery } from "../../api.js";
import { counted } from "../../format.js";
import { PhoneNumbers } from "../../ops.js";
import { Field } from "../../ui.js";

const BUDGET_HINT =
  "Empty: no limit. No new call starts once the spend and the expected cost of live calls reach it. " +
  "Calls in progress are not cut off, so the total can exceed it by what they cost beyond the expected: " +
  "keep the cap small for a small budget.";

/**
 * @param {{
 *   form: import("./form.js").Form,
 *   set: import("./form.js").Set,
 *   wrong: Record<string, string>,
 *   choices: import("../../ops.js").ChoicesData,
 * }} props
 */
export function How({ form, set, wrong, choices }) {
  /** @param {keyof import("./form.js").Form} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) => set({ [name]: e.currentTarget.value }),
  });
  return html`<div class="form">
    <div class="full">
      <${Field} label="Name" error=${wrong.name}
        >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} maxlength="200" />`}<//
      >
    </div>
    <${Field}
      label="Assistant"
      error=${wrong.assistantId}
      hint=${choices.assistants.length ? "The voice agent" : html`None yet: <a href="/assistants">add one</a>`}
    >
      ${(/** @type {any} */ a) =>
        html`<select ...${a} ...${bind("assistantId")}>
          <option value="">Choose…</option>
          ${choices.assistants.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
        </select>`}<//
    >
    <${Lines} form=${form} bind=${bind} wrong=${wrong} first=${choices.phoneNumbers} />
    <${Field}
      label="Cap: calls at once"
      error=${wrong.cap}
      hint=${`Empty: ${choices.settings.defaultCap}. All campaigns together: ${choices.settings.globalCap}.`}
    >
      ${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          ...${bind("cap")}
          type="number"
          min="1"
          max="10000"
          inputmode="numeric"
          placeholder=${choices.settings.defaultCap}
        />`}<//
    >
    <${Field} label="Budget in US dollars" error=${wrong.budget} hint=${BUDGET_HINT}>
      ${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          ...${bind("budget")}
          type="number"
          min="0"
          step="0.01"
          inputmode="decimal"
          placeholder="No limit"
        />`}<//
    >
    <fieldset>
      <legend>Mode</legend>
      <label class="tick"
        ><input
          type="radio"
          name="mode"
          checked=${form.mode === "CONTINUOUS"}
          onChange=${() => set({ mode: "CONTINUOUS" })}
        /><span>Continuous<span>A new call starts when one ends.</span></span></label
      >
      <label class="tick"
        ><input
          type="radio"
          name="mode"
          checked=${form.mode === "BATCH"}
          onChange=${() => set({ mode: "BATCH" })}
        /><span>Batch<span>A new batch starts when the last one has ended.</span></span></label
      >
    </fieldset>
    <fieldset>
      <legend>Quiet line</legend>
      <label class="tick"
        ><input
          type="checkbox"
          checked=${form.lineQuietGating}
          onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
            set({ lineQuietGating: e.currentTarget.checked })}
        /><span
          >Only while the line is quiet<span>Waits while any call is live on this number, ours or not.</span></span
        ></label
      >
    </fieldset>
  </div>`;
}

/**
 * The lines with their current calls.
 * @param {{
 *   form: import("./form.js").Form,
 *   bind: (name: keyof import("./form.js").Form) => any,
 *   wrong: Record<string, string>,
 *   first: import("../../ops.js").ChoicesData["phoneNumbers"],
 * }} props
 */
function Lines({ form, bind, wrong, first }) {
  const fresh = useQuery(PhoneNumbers, {}, Boolean(form.phoneNumberId));
  const lines = fresh.data?.phoneNumbers ?? first;
  const chosen = lines.find((line) => line.id === form.phoneNumberId);
  const activity = !chosen
    ? "The number that people see"
    : chosen.activeCalls == null
      ? "The provider cannot be reached, so its live calls are unknown"
      : chosen.activeCalls
        ? `${counted(chosen.activeCalls, "call")} live on it now`
        : "Quiet now";
  return html`<${Field}
    label="Line"
    error=${wrong.phoneNumberId}
    hint=${lines.length ? activity : "The provider shows no phone number. See Health and lines."}
  >
    ${(/** @type {any} */ a) =>
      html`<select ...${a} ...${bind("phoneNumberId")}>
        <option value="">Choose…</option>
        ${lines.map(
          (line) =>
            html`<option key=${line.id} value=${line.id}>
              ${[line.number ?? line.id, line.name]
                .filter(Boolean)
                .join(" · ")}${line.activeCalls ? ` (${line.activeCalls} live)` : ""}
            </option>`,
        )}
      </select>`}<//
  >`;
}
