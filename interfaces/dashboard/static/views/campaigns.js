// @ts-check
import { html, signal } from "../lib.js";
import { may, useQuery, useSubscription, useThrottled } from "../api.js";
import { count, counted, money, share, words } from "../format.js";
import { lazy } from "../lazy.js";
import { Campaigns, CampaignsProgress } from "../ops.js";
import { Pager } from "../pager.js";
import { query, setQuery } from "../route.js";
import { Empty, Head, Icon, OutcomeBar, Search, Skeleton, SpendMeter, State, Time, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").CampaignsData["campaigns"]["nodes"][number]} Campaign */
/** @typedef {import("../ops.js").CampaignState} CampaignState */
const Checklist = lazy(() => import("./campaign/checklist.js"), "Checklist");
/** @type {CampaignState[]} */
const STATES = ["RUNNING", "DIALING", "QUEUED", "PAUSED", "CREATED", "COMPLETED", "CANCELED", "FAILED"];

/**
 * The latest counters of each campaign, as separate signals, so that a frame redraws one card only.
 * @type {Map<string, import("@preact/signals").Signal<Campaign["progress"] | null>>}
 */
const live = new Map();

/** @param {string} id */
function liveOf(id) {
  let found = live.get(id);
  if (!found) live.set(id, (found = signal(/** @type {Campaign["progress"] | null} */ (null))));
  return found;
}

export default function CampaignList() {
  const states = /** @type {CampaignState[]} */ (query("state").split(",").filter(Boolean));
  const search = query("q");
  const after = query("after");
  const list = useQuery(Campaigns, {
    states: states.length ? states : null,
    search: search || null,
    after: after || null,
  });
  const again = useThrottled(list.reload, 500);
  useSubscription(CampaignsProgress, {}, ({ campaignsProgress: progress }) => {
    const signal = liveOf(progress.campaignId);
    const before = signal.value?.state;
    signal.value = progress;
    if (!list.data) return;
    const { nodes, totalCount } = list.data.campaigns;
    const shown = nodes.find((one) => one.id === progress.campaignId);
    // Do not read the list again for campaigns on other pages.
    const created = !after && !states.length && !search && live.size > totalCount;
    if (shown ? (before ?? shown.state) !== progress.state : created) again();
  });
  /** @param {CampaignState} state */
  const toggle = (state) =>
    setQuery({
      after: null,
      state: (states.includes(state) ? states.filter((one) => one !== state) : [...states, state]).join(","),
    });
  const filtered = Boolean(states.length || search);
  const page = list.data?.campaigns;
  const onlyTests = page != null && !filtered && !after && page.nodes.every((one) => one.isTest);
  return html`<${Head} title="Campaigns" lead="All campaigns with their progress and costs.">
      ${
        may.operate() &&
        html`<a class="button primary" href="/campaigns/new" title="New campaign (n)"
          ><${Icon} name="plus" />New campaign</a
        >`
      }
    <//>
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${
      (page?.nodes.length || filtered) &&
      html`<div class="filters">
        <${Search}
          label="Search campaigns"
          value=${search}
          onText=${(/** @type {string} */ q) => setQuery({ q, after: null })}
        />
        <div class="chips" role="group" aria-label="Filter by state">
          ${STATES.map(
            (state) =>
              html`<button
                type="button"
                key=${state}
                aria-pressed=${states.includes(state)}
                onClick=${() => toggle(state)}
              >
                ${words(state)}
              </button>`,
          )}
        </div>
      </div>`
    }
    ${!page && !list.error && html`<${Skeleton} />`} ${page && !page.nodes.length && filtered && html`<${Nothing} />`}
    ${onlyTests && html`<${First} tests=${page.nodes} />`}
    ${
      page &&
      page.nodes.length > 0 &&
      html`<ul class="cards">
          ${page.nodes.map((one) => html`<${Card} key=${one.id} campaign=${one} />`)}
        </ul>
        ${
          (page.pageInfo.hasNextPage || after) &&
          html`<${Pager} shown=${page.nodes.length} total=${page.totalCount} info=${page.pageInfo} />`
        }`
    }`;
}

/** The latest counters of a campaign, pushed or read. @param {Campaign} campaign */
function liveProgress(campaign) {
  const pushed = liveOf(campaign.id).value;
  return pushed && pushed.position >= campaign.progress.position ? pushed : campaign.progress;
}

/** @param {{ campaign: Campaign }} props */
function Card({ campaign }) {
  const progress = liveProgress(campaign);
  const done = progress.contacts - progress.pending - progress.active;
  return html`<li class="card">
    <div>
      <h2><a data-row href=${`/campaigns/${campaign.id}`}>${campaign.name}</a></h2>
      <p class="sub">
        ${counted(progress.contacts, "contact")} · ${campaign.mode === "BATCH" ? "in batches" : "continuous"} ·
        created${" "}
        <${Time} at=${campaign.createdAt} />
      </p>
    </div>
    <${State} value=${progress.state} />
    <div class="progress">
      <${OutcomeBar} progress=${progress} />
      <div class="figures">
        <span class="num">${count(done)} done</span><span class="num">${share(done, progress.contacts)}</span>
      </div>
    </div>
    <div class="num" title="Calls under way, of the campaign's cap">
      <b>${count(progress.active)}</b> <span class="quiet">of ${count(campaign.cap)} live</span>
    </div>
    ${
      campaign.budget == null
        ? html`<div class="num"><b>${money(progress.spend)}</b> <span class="quiet">spent</span></div>`
        : html`<${SpendMeter} spend=${progress.spend} budget=${campaign.budget} />`
    }
  </li>`;
}

const Nothing = () =>
  html`<${Empty} icon="search" title="No campaign fits"
    ><p>Remove a filter, or change the search.</p>
    <button type="button" onClick=${() => setQuery({ q: null, state: null, after: null })}>Clear the filters</button><//
  >`;

/** What is shown before the first campaign, besides test calls. @param {{ tests: Campaign[] }} props */
const First = ({ tests }) =>
  html`<div class="stack">
    <section class="panel">
      <${Empty} icon="phone" title="Your first campaign">
        <p>
          Drop a CSV file or a workbook with names and phone numbers, choose an assistant and a line, and press Start.
          AutoLynx calls everyone on the list, never above the cap and nobody twice.
        </p>
        ${
          may.operate()
            ? html`<a class="button primary" href="/campaigns/new"><${Icon} name="plus" />Create a campaign</a>`
            : html`<p>An operator or an admin can create one.</p>`
        }
      <//>
    </section>
    <${Checklist} isHeard=${tests.some((one) => liveProgress(one).ended > 0)} />
  </div>`;
