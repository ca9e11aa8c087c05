// @ts-check
import { html } from "../../lib.js";
import { count } from "../../format.js";
import { setQuery } from "../../route.js";
import { FINISHED } from "../../states.js";
import { Moment, Time } from "../../ui.js";

/** @typedef {import("./campaign.js").Campaign} Campaign */
/** @typedef {NonNullable<Campaign["lastDecision"]>} Decision */

/** Why contacts wait, by reason, with the time of the next call. @param {import("./campaign.js").Part} props */
export function Waits({ campaign, now }) {
  const decision = campaign.lastDecision;
  if (FINISHED.has(now().state)) return null;
  return html`<section class="panel" aria-labelledby="waits">
    <header>
      <h2 id="waits">Why it waits</h2>
      ${decision && html`<span class="hint">looked <${Time} at=${decision.decidedAt} /></span>`}
    </header>
    ${
      !campaign.queuedAt
        ? html`<p class="quiet">Nobody is called before Start is pressed.</p>`
        : decision
          ? html`<${Reasons} decision=${decision} />`
          : html`<p class="quiet">The scheduler has not looked at it yet.</p>`
    }
  </section>`;
}

/** @param {{ decision: Decision }} props */
const Reasons = ({ decision }) =>
  html`<ul class="reasons">
    ${decision.placed > 0 && html`<li><b>${count(decision.placed)}</b><span>claimed in the last pass</span></li>`}
    ${decision.reasons.map(
      (reason) =>
        html`<li key=${reason.code}>
          <b>${count(reason.contacts)}</b>
          <div>
            ${reason.message} ${reason.until && html`<div class="quiet">until <${Moment} at=${reason.until} /></div>`}
            <button type="button" class="ghost small inline" onClick=${() => showWaiting(reason.code)}>
              Show these contacts
            </button>
          </div>
        </li>`,
    )}
    ${!decision.placed && !decision.reasons.length && html`<li class="quiet">Nothing waits.</li>`}
  </ul>`;

/** Filters the list of contacts by the reason for which they wait. @param {string} code */
function showWaiting(code) {
  setQuery({ waiting: code, status: null, outcome: null, disposition: null, withheld: null, after: null });
  document
    .getElementById("contacts")
    ?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
