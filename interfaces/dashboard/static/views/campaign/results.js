// @ts-check
import { html, useEffect, useState } from "../../lib.js";
import { may, useQuery, useThrottled } from "../../api.js";
import { count, counted, words } from "../../format.js";
import { lazy } from "../../lazy.js";
import { CampaignResults } from "../../ops.js";
import { setQuery } from "../../route.js";
import { Icon, Moment, Time } from "../../ui.js";

const RedialDialog = lazy(() => import("./redial.js"), "RedialDialog");

/** @typedef {NonNullable<import("../../ops.js").CampaignResultsData["campaign"]>} Results */
/** @typedef {Results["funnel"]} Funnel */

/** @type {[keyof Funnel, string][]} */
const STAGES = [
  ["contacts", "Contacts"],
  ["dialed", "Dialed"],
  ["answered", "Answered"],
  ["human", "A person answered"],
  ["goal", "Goal reached"],
];

/** What came of the calls, and the campaigns that call again. @param {import("./campaign.js").Part} props */
export function ResultsPanel({ campaign, now }) {
  const read = useQuery(CampaignResults, { id: campaign.id });
  const again = useThrottled(read.reload, 5000);
  const [redialing, setRedialing] = useState(false);
  const { position } = now();
  useEffect(() => {
    if (read.data) again();
  }, [position]);
  const results = read.data?.campaign;
  if (!results) return null;
  return html`<section class="panel stack" aria-labelledby="results">
    <header>
      <h2 id="results">Results</h2>
      ${
        may.operate() &&
        html`<button type="button" onClick=${() => setRedialing(true)}><${Icon} name="phone" />Redial</button>`
      }
    </header>
    <${Stages} funnel=${results.funnel} />
    <${Outcomes} results=${results} />
    <${Callbacks} counts=${results.callbacks} />
    <${Terms} results=${results} />
    ${
      redialing &&
      html`<${RedialDialog} campaign=${campaign} outcomes=${results.outcomes} onClose=${() => setRedialing(false)} />`
    }
  </section>`;
}

/** @param {{ funnel: Funnel }} props */
const Stages = ({ funnel }) =>
  html`<div>
    <ol class="stages">
      ${STAGES.map(
        ([key, label]) =>
          html`<li key=${key} style=${{ "--share": funnel.contacts ? funnel[key] / funnel.contacts : 0 }}>
            <span>${label}</span><b class="num">${count(funnel[key])}</b>
          </li>`,
      )}
    </ol>
    <p class="hint num">
      ${`${count(funnel.withheld)} withheld, `}
      <button
        type="button"
        class="ghost small inline"
        title="Show these contacts"
        onClick=${() => setQuery({ disposition: "OPTED_OUT", outcome: null, status: null, after: null })}
      >
        ${count(funnel.optedOut)} opted out
      </button>
    </p>
  </div>`;

/** @param {{ results: Results }} props */
const Outcomes = ({ results }) =>
  html`<div>
    <h3>Outcomes</h3>
    ${
      results.outcomes.length
        ? html`<ul class="outcomes">
            ${results.outcomes.map(
              (one) =>
                html`<li key=${one.outcome}>
                  <button
                    type="button"
                    title="Show these contacts"
                    onClick=${() => setQuery({ outcome: one.outcome, status: null, after: null })}
                  >
                    <b class="num">${count(one.contacts)}</b><span>${words(one.outcome)}</span
                    ><span class="quiet num">${counted(one.calls, "call")}</span>
                  </button>
                </li>`,
            )}
          </ul>`
        : html`<p class="quiet">No call has finished yet.</p>`
    }
  </div>`;

/** How many contacts are to be called back, and when the next one. @param {{ counts: Results["callbacks"] }} props */
function Callbacks({ counts: { due, later, nextAt } }) {
  if (!due && !later) return null;
  return html`<div>
    <h3>Callbacks</h3>
    <p class="num">
      ${`${count(due)} due now, ${count(later)} later`}
      ${nextAt && html`, the next one <${Moment} at=${nextAt} />`}${" "}
      ${
        later > 0 &&
        html`<button
          type="button"
          class="ghost small inline"
          onClick=${() => setQuery({ waiting: "CALLBACK_PLANNED", outcome: null, status: null, after: null })}
        >
          Show these contacts
        </button>`
      }
    </p>
  </div>`;
}

/** @param {{ results: Results }} props */
const Terms = ({ results }) =>
  html`<dl class="facts">
    <dt>Calls to a contact</dt>
    <dd>${results.retryPolicy.attempts === 1 ? "one" : `at most ${results.retryPolicy.attempts}`}</dd>
    ${
      results.startsAt &&
      html`<dt>Not before</dt>
        <dd><${Time} at=${results.startsAt} planned /></dd>`
    }
    ${
      results.endsAt &&
      html`<dt>Ends</dt>
        <dd><${Time} at=${results.endsAt} planned /></dd>`
    }
    ${
      results.redialOf &&
      html`<dt>Redial of</dt>
        <dd><a href=${`/campaigns/${results.redialOf.id}`}>${results.redialOf.name}</a></dd>`
    }
    ${
      results.redials.length > 0 &&
      html`<dt>Redials</dt>
        <dd>
          ${results.redials.map((one) => html`<a key=${one.id} href=${`/campaigns/${one.id}`}>${one.name}</a> `)}
        </dd>`
    }
  </dl>`;
