// @ts-check
import { html } from "../../../lib.js";
import { absolute, calendarDate, count, counted } from "../../../format.js";
import { NO_ADVICE, sourceWords } from "../../../gate_words.js";
import { Id } from "../../../ui.js";

/** @typedef {import("../drawer.js").Call} Call */

/** Why the call was allowed, as recorded with its request. @param {{ permit: Call["permit"] }} props */
export function Permit({ permit }) {
  if (!permit) return null;
  return html`<section class="permit">
    <h3>Why it was allowed</h3>
    <p>${permit.words}</p>
    <details>
      <summary>The facts of the decision</summary>
      <dl class="facts">
        <dt>Decided</dt>
        <dd>${absolute(permit.grantedAt)}</dd>
        <dt>Places</dt>
        <dd>${permit.places.join(", ") || "none"}, by ${sourceWords(permit.placeSource)}</dd>
        <dt>Time zones</dt>
        <dd>${permit.timeZones.join(", ") || "none"}</dd>
        <dt>Rules</dt>
        <dd>${permit.rules.join(", ") || "none"}</dd>
        ${
          permit.waivedBy &&
          html`<dt>Hours waived by</dt>
            <dd>${permit.waivedBy}</dd>`
        }
        <dt>Lists</dt>
        <dd>${permit.lists.map((one) => `${one.name} of ${calendarDate(one.asOf)}`).join(", ") || "none"}</dd>
        ${permit.attemptsBefore.map(
          (one) =>
            html`<dt key=${one.hours}>Calls in the ${counted(one.hours, "hour")} before</dt>
              <dd class="num">${count(one.attempts)}</dd>`,
        )}
        <dt>Rule book</dt>
        <dd><${Id} id=${permit.ruleBook} label="Version of the rule book" /></dd>
      </dl>
    </details>
    <p class="hint">${NO_ADVICE}</p>
  </section>`;
}

/** Structured outputs of the call's analysis, by name. @param {{ outputs: unknown }} props */
export function Outputs({ outputs }) {
  const known = Object.entries(outputs && typeof outputs === "object" ? outputs : {});
  if (!known.length) return null;
  return html`<section>
    <h3>Outputs</h3>
    <dl class="facts">
      ${known.map(
        ([name, value]) =>
          html`<dt key=${name}>${name}</dt>
            <dd>${shown(value)}</dd>`,
      )}
    </dl>
  </section>`;
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
