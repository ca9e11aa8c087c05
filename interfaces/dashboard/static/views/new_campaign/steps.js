// @ts-check
import { html } from "../../lib.js";
import { Action, Icon } from "../../ui.js";
import { missing } from "./form.js";

/** @typedef {import("./form.js").Form} Form */

/** Fields without which a step is not complete. @type {[string, string, string[]][]} */
const STEPS = [
  ["who", "Who is called", ["uploadId"]],
  ["how", "How", ["name", "assistantId", "phoneNumberId"]],
  ["when", "When", ["windows", "waiver"]],
  ["again", "Again and results", ["outputRules"]],
  ["review", "Review", []],
];

/** Moves to a step without a new address. @param {string} id */
function show(id) {
  const heading = document.getElementById(id);
  heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}

/**
 * The steps with what is missing, and the buttons that end them.
 * @param {{
 *   form: Form,
 *   uploaded: { report: { accepted: number } } | null,
 *   create: (start: boolean) => Promise<void>,
 *   discard: () => Promise<void>,
 * }} props
 */
export function Steps({ form, uploaded, create, discard }) {
  const gaps = missing(form, uploaded);
  return html`<aside class="panel stack sticky" aria-label="Steps">
    <ol class="steps">
      ${STEPS.map(([id, title, fields], at) => {
        const gap = Object.keys(gaps).find((path) => fields.includes(/** @type {string} */ (path.split(".")[0])));
        return html`<li key=${id} data-done=${gap ? null : ""}>
          <button type="button" class="ghost" onClick=${() => show(id)}>
            <span class="step-number">${gap ? at + 1 : html`<${Icon} name="check" />`}</span>
            <span>${title}${gap && html`<span class="hint">${gaps[gap]}</span>`}</span>
          </button>
        </li>`;
      })}
    </ol>
    <${Action} kind="primary" icon="play" onPress=${() => create(true)}
      >${form.startsAt ? "Create and schedule" : "Create and start"}<//
    >
    <${Action} onPress=${() => create(false)}>Create without starting<//>
    <${Action} kind="ghost" onPress=${discard}>Discard the draft<//>
  </aside>`;
}
