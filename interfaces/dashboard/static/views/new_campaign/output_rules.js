// @ts-check
import { html } from "../../lib.js";
import { words } from "../../format.js";
import { Field, Icon } from "../../ui.js";
import { DISPOSITIONS } from "../contacts/contact_actions.js";
import { KINDS, kindOf, textOf, valueOf } from "./output_values.js";

/** @typedef {import("./output_values.js").RuleRow} RuleRow */
/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Input */

const MOST = 50;

/**
 * Which values of the assistant's outputs decide the disposition of a call.
 * @param {import("./hours.js").Part} props
 */
export function OutputRules({ form, set, wrong }) {
  const { outputRules: rows } = form;
  /** @param {number} at @param {Partial<RuleRow>} change */
  const amend = (at, change) => set({ outputRules: rows.map((row, i) => (i === at ? { ...row, ...change } : row)) });
  const add = () => set({ outputRules: [...rows, { output: "", equals: true, means: "GOAL_REACHED" }] });
  return html`<fieldset>
      <legend>What counts as a result</legend>
      <p class="hint">
        Each rule compares a structured output of the assistant, or the value at a JSON pointer into its analysis, such
        as /successEvaluation. If several rules fit a call, an opt-out goes first, then a callback, then a goal.
      </p>
      ${rows.map(
        (row, at) =>
          html`<div key=${at} class="rule" role="group" aria-label=${`Rule ${at + 1}`}>
            <${Rule} row=${row} at=${at} wrong=${wrong} amend=${(/** @type {any} */ change) => amend(at, change)} />
            <button
              type="button"
              class="ghost"
              aria-label=${`Remove rule ${at + 1}`}
              onClick=${() => set({ outputRules: rows.filter((_, i) => i !== at) })}
            >
              <${Icon} name="close" />
            </button>
          </div>`,
      )}
      ${wrong.outputRules && html`<p class="wrong" role="alert">${wrong.outputRules}</p>`}
      <div>
        <button type="button" disabled=${rows.length >= MOST} onClick=${add}><${Icon} name="plus" />Add a rule</button>
      </div>
    </fieldset>
    <${Field}
      label="Output with the time of a callback"
      error=${wrong.callbackOutput}
      hint="Name of a structured output. Empty: no callbacks from outputs."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${form.callbackOutput}
          maxlength="200"
          onInput=${(/** @type {Input} */ e) => set({ callbackOutput: e.currentTarget.value })}
        />`}<//
    >`;
}

/**
 * One rule: an output, the value with which it is compared, and the disposition.
 * @param {{
 *   row: RuleRow,
 *   at: number,
 *   wrong: Record<string, string>,
 *   amend: (change: Partial<RuleRow>) => void,
 * }} props
 */
function Rule({ row, at, wrong, amend }) {
  const kind = kindOf(row);
  const text = textOf(row);
  /** @param {RuleRow["kind"]} kind @param {string} text */
  const compare = (kind, text) => amend({ kind, text, equals: valueOf(kind, text) });
  return html`<${Field} label="Output" error=${wrong[`outputRules.${at}.output`]}
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${row.output}
          maxlength="200"
          placeholder="booked"
          onInput=${(/** @type {Input} */ e) => amend({ output: e.currentTarget.value })}
        />`}<//
    >
    <${Field} label="Is" error=${KINDS[kind].hasText ? undefined : wrong[`outputRules.${at}.equals`]}
      >${(/** @type {any} */ a) =>
        html`<select
          ...${a}
          value=${kind}
          onChange=${(/** @type {Input} */ e) => compare(/** @type {RuleRow["kind"]} */ (e.currentTarget.value), text)}
        >
          ${Object.entries(KINDS).map(([name, { label }]) => html`<option key=${name} value=${name}>${label}</option>`)}
        </select>`}<//
    >
    ${
      KINDS[kind].hasText &&
      html`<${Field} label="Value" error=${wrong[`outputRules.${at}.equals`]}
        >${(/** @type {any} */ a) =>
          html`<input
            ...${a}
            value=${text}
            onInput=${(/** @type {Input} */ e) => compare(kind, e.currentTarget.value)}
          />`}<//
      >`
    }
    <${Field} label="Means"
      >${(/** @type {any} */ a) =>
        html`<select
          ...${a}
          value=${row.means}
          onChange=${(/** @type {Input} */ e) =>
            amend({ means: /** @type {RuleRow["means"]} */ (e.currentTarget.value) })}
        >
          ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
        </select>`}<//
    >`;
}
