// @ts-check
import { html, useEffect, useState } from "../lib.js";
import { subscribe } from "../api.js";
import { count, money, words } from "../format.js";
import { RehearseCampaign } from "../ops.js";
import { Dialog, Time } from "../ui.js";

/** @typedef {import("../ops.js").CreateCampaignInput} Input */
/** @typedef {import("../ops.js").RehearseCampaignData["rehearsal"]} Rehearsal */
/** @typedef {NonNullable<Rehearsal["result"]>} Result */

/**
 * A button that runs the campaign of the form with simulated calls.
 * `inputOf` returns what `createCampaign` would get, or null while something is missing.
 * @param {{ inputOf: () => Input | null }} props
 */
export function RehearsalButton({ inputOf }) {
  const [input, setInput] = useState(/** @type {Input | null} */ (null));
  return html`<div>
    <button type="button" onClick=${() => setInput(inputOf())}>Rehearse it</button>
    ${input && html`<${Running} input=${input} onClose=${() => setInput(null)} />`}
  </div>`;
}

/** @param {{ input: Input, onClose: () => void }} props */
function Running({ input, onClose }) {
  const [now, setNow] = useState(/** @type {Rehearsal | null} */ (null));
  const [wrong, setWrong] = useState("");
  // Closing the dialog ends the rehearsal with its subscription.
  useEffect(() => subscribe(RehearseCampaign, { input }, ({ rehearsal }) => setNow(rehearsal), setWrong), []);
  return html`<${Dialog} title="Rehearsal" onClose=${onClose}>
    <div class="stack">
      <p class="hint">
        Nobody is called: the calls are simulated, and time passes faster. Calling hours, retries, cap and budget are
        those of the campaign. Nothing is stored.
      </p>
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      ${!wrong && !now?.result && html`<${Progress} now=${now} />`}
      ${now?.result && html`<${Figures} now=${now} result=${now.result} />`}
    </div>
    <footer><button type="button" onClick=${onClose}>Close</button></footer><//
  >`;
}

/** @param {{ now: Rehearsal | null }} props */
const Progress = ({ now }) =>
  html`<p role="status">
    ${now ? `${count(now.ended)} of ${count(now.contacts)} contacts ended.` : "Preparing the rehearsal…"}
  </p>`;

/** @param {{ now: Rehearsal, result: Result }} props */
const Figures = ({ now, result }) =>
  html`<div class="stack" role="status">
    <dl class="facts">
      <dt>Rehearsed campaign</dt>
      <dd>${words(now.state)}</dd>
      <dt>First call</dt>
      <dd><${Time} at=${result.startedAt} /></dd>
      <dt>Finished</dt>
      <dd><${Time} at=${result.completedAt} empty="not within the rehearsal" /></dd>
      <dt>Contacts</dt>
      <dd class="num">${count(now.contacts)}</dd>
      <dt>Calls</dt>
      <dd class="num">${count(result.calls)}</dd>
      <dt>A person answered</dt>
      <dd class="num">${count(result.human)}</dd>
      <dt>Goal reached</dt>
      <dd class="num">${count(result.goals)}</dd>
      <dt>Withheld</dt>
      <dd class="num">${count(result.withheld)}</dd>
      <dt>Spend</dt>
      <dd class="num">${money(now.spend)}</dd>
      ${result.outcomes.map(
        (one) =>
          html`<dt key=${one.outcome}>${words(one.outcome)}</dt>
            <dd class="num">${count(one.calls)}</dd>`,
      )}
    </dl>
    ${result.waits.map((why) => html`<p class="hint" key=${why}>${why}</p>`)}
    <a href=${`data:text/csv;charset=utf-8,${encodeURIComponent(result.export)}`} download="rehearsal.csv"
      >Download the rehearsed export</a
    >
  </div>`;
