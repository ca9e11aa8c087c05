// @ts-check
import { html, useEffect, useState } from "../lib.js";
import { absolute, count, money, words } from "../format.js";
import { again, drop, missing, rehearsal, rehearse, showRehearsal } from "../rehearsals.js";
import { go } from "../route.js";
import { Action, Empty, Field, Head, Icon, Meter, Skeleton, State } from "../ui.js";

/** @typedef {import("../rehearsals.js").Input} Input */
/** @typedef {import("../rehearsals.js").Progress} Progress */
/** @typedef {import("../rehearsals.js").Scenario} Scenario */
/** @typedef {NonNullable<Progress["result"]>} Result */

/** @type {[Scenario, string][]} */
const SCENARIOS = [
  ["NORMAL", "An ordinary day"],
  ["FEW_ANSWER", "Few people answer"],
  ["EVERYBODY_ANSWERS", "Everybody answers"],
  ["PROVIDER_OUTAGE", "The provider fails for half an hour"],
  ["PROVIDER_REFUSES", "The provider refuses most calls at first"],
];
const ROWS = 100;

/**
 * Runs the campaign of the form with simulated calls.
 * `inputOf` returns what `createCampaign` would get, or null while something is missing.
 * @param {{ inputOf: () => Input | null }} props
 */
export function RehearsalButton({ inputOf }) {
  const [scenario, setScenario] = useState(/** @type {Scenario} */ ("NORMAL"));
  const start = () => {
    const input = inputOf();
    if (!input) return;
    go(`/rehearsals/${rehearse(input, scenario)}`);
  };
  return html`<div class="stack">
    <${Field} label="Rehearsal" hint="Simulated calls in virtual time: nobody is called, and nothing is stored.">
      ${(/** @type {any} */ attributes) =>
        html`<select
          ...${attributes}
          value=${scenario}
          onChange=${(/** @type {any} */ event) => setScenario(event.target.value)}
        >
          ${SCENARIOS.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
        </select>`}
    <//>
    <button type="button" onClick=${start}>Rehearse it</button>
  </div>`;
}

/** The campaign page of a rehearsal, until it is dropped. @param {{ id: string }} props */
export default function RehearsalView({ id }) {
  useEffect(() => void showRehearsal(id), [id]);
  const it = rehearsal.value;
  if (missing.value === id) return html`<${NoRehearsal} />`;
  if (it?.id !== id) return html`<${Skeleton} rows=${6} />`;
  const end = async () => {
    go("/campaigns/new");
    await drop();
  };
  const result = it.now?.result;
  return html`<${Head}
      title=${`Rehearsal: ${it.input.name}`}
      lead=${SCENARIOS.find(([value]) => value === it.scenario)?.[1]}
      ><${Action} onPress=${end}>Drop this rehearsal<//><//
    >
    <div class="banner" data-kind="warn">
      <p>
        <strong>This is a rehearsal.</strong> Nobody was called, and all times are virtual. Only this browser keeps the
        results: for a day, or until you drop them or sign out.
      </p>
    </div>
    ${
      it.wrong &&
      html`<div class="banner" data-kind="bad" role="alert">
        <${Icon} name="warning" />
        <p>${it.wrong}</p>
        <button type="button" onClick=${again}>Try again</button>
      </div>`
    }
    <div class="stack">
      ${!it.wrong && html`<${Course} now=${it.now} />`}
      ${result && html`<${Figures} result=${result} /><${Contacts} contacts=${result.contacts} />`}
    </div>`;
}

const NoRehearsal = () =>
  html`<${Head} title="No such rehearsal" /><${Empty} icon="search" title="This browser has no such rehearsal">
      <p>
        A rehearsal is kept for a day in the browser of the member who started it. Start another one from the page of a
        ${" "}<a href="/campaigns/new">new campaign</a>.
      </p>
    <//>`;

/** @param {{ now: Progress | null }} props */
const Course = ({ now }) =>
  html`<section class="panel stack" role="status" aria-label="Progress of the rehearsal">
    <header><h2>Rehearsed progress</h2></header>
    ${
      now
        ? html`<p><${State} value=${now.state} />${" "}<span class="num">${absolute(now.at)}</span></p>
            <${Meter}
              isProgress
              label="Finished contacts"
              value=${now.contacts - now.pending - now.active}
              max=${now.contacts}
              text=${`${count(now.contacts - now.pending - now.active)} of ${count(now.contacts)}`}
            />
            <p>Spend ${money(now.spend)}</p>`
        : html`<p>Preparing the rehearsal…</p>`
    }
  </section>`;

/** @param {{ result: Result }} props */
const Figures = ({ result }) =>
  html`<section class="panel stack" aria-label="Results of the rehearsal">
    <header><h2>Rehearsed results</h2></header>
    <dl class="facts">
      <dt>First call</dt>
      <dd class="num">${result.startedAt ? absolute(result.startedAt) : "–"}</dd>
      <dt>Finished</dt>
      <dd class="num">${result.completedAt ? absolute(result.completedAt) : "not within the rehearsal"}</dd>
      <dt>Contacts</dt>
      <dd class="num">${count(result.contacts.length)}</dd>
      <dt>Calls</dt>
      <dd class="num">${count(result.calls)}</dd>
      <dt>A person answered</dt>
      <dd class="num">${count(result.human)}</dd>
      <dt>Goal reached</dt>
      <dd class="num">${count(result.goals)}</dd>
      <dt>Withheld</dt>
      <dd class="num">${count(result.withheld)}</dd>
      ${result.outcomes.map(
        (one) =>
          html`<dt key=${one.outcome}>${words(one.outcome)}</dt>
            <dd class="num">${count(one.calls)}</dd>`,
      )}
    </dl>
    ${result.waits.map((why) => html`<p class="hint" key=${why}>${why}</p>`)}
    <p>
      <${Download} name="rehearsal.csv" type="text/csv" text=${result.export}>Download the rehearsed export<//>
      ${" "}
      <${Download} name="rehearsal-events.jsonl" type="application/jsonl" text=${result.events}
        >Download the rehearsed events<//
      >
    </p>
  </section>`;

/** @param {{ name: string, type: string, text: string, children?: any }} props */
const Download = ({ name, type, text, children }) =>
  html`<a href=${`data:${type};charset=utf-8,${encodeURIComponent(text)}`} download=${name}>${children}</a>`;

/** @param {{ contacts: Result["contacts"] }} props */
function Contacts({ contacts }) {
  const [shown, setShown] = useState(ROWS);
  return html`<section class="panel flush" aria-label="Contacts of the rehearsal">
    <header><h2>Rehearsed contacts</h2></header>
    <table class="table">
      <thead>
        <tr>
          <th>Name</th>
          <th>Number</th>
          <th>Status</th>
          <th>Outcome</th>
          <th>Calls</th>
        </tr>
      </thead>
      <tbody>
        ${contacts.slice(0, shown).map(
          (one, row) =>
            html`<tr key=${row}>
              <td class="main">${one.name}</td>
              <td class="num">${one.phone}</td>
              <td>${words(one.status)}</td>
              <td>${one.outcome ? words(one.outcome) : "–"}</td>
              <td class="num">${count(one.attempts)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      shown < contacts.length &&
      html`<footer>
        <button type="button" onClick=${() => setShown(shown + ROWS)}>
          Show more of ${count(contacts.length)} contacts
        </button>
      </footer>`
    }
  </section>`;
}
