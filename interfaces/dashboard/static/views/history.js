// @ts-check
import { html, useEffect, useRef, useState } from "../lib.js";
import { may, useQuery } from "../api.js";
import { absolute, count, words } from "../format.js";
import { CampaignAsOf, CampaignPage, History } from "../ops.js";
import { query, setQuery } from "../route.js";
import { Empty, Head, Icon, OutcomeBar, OUTCOMES, Skeleton, SpendMeter, State, Time, Trouble } from "../ui.js";

/** @typedef {NonNullable<import("../ops.js").CampaignAsOfData["campaign"]>} Past */
/** @typedef {import("../ops.js").HistoryData["events"]["nodes"][number]} Entry */

/** @param {{ id: string }} props */
export default function HistoryView({ id }) {
  const page = useQuery(CampaignPage, { id });
  const log = useQuery(History, { filter: { aggregateId: id } });
  if (!may.audit()) return html`<${Head} title="History" /><${Empty} icon="warning" title="For auditors and admins" />`;
  if (page.error && !page.data) return html`<${Trouble} error=${page.error} again=${page.reload} />`;
  if (!page.data) return html`<${Skeleton} />`;
  const campaign = page.data.campaign;
  if (!campaign) return html`<${Head} title="No such campaign" />`;
  return html`<a class="crumb" href=${`/campaigns/${id}`}><${Icon} name="back" />${campaign.name}</a>
    <${Head}
      title="As it stood"
      lead="Rebuilt from the events up to the time that you choose. Nothing can be changed here."
    />
    ${log.error && html`<${Trouble} error=${log.error} again=${log.reload} />`}
    ${
      log.data &&
      html`<${Travel}
        id=${id}
        from=${log.data.events.nodes[0]?.occurredAt ?? campaign.createdAt}
        until=${campaign.completedAt}
        entries=${log.data.events.nodes}
      />`
    }`;
}

/** Milliseconds added to the time of an event so that it is included, whatever the clocks of the processes. */
const AFTER = 20;

/** Slightly after the end, so that the last event is included. @param {string | null} until */
const endOf = (until) => (until ? Date.parse(until) + 2000 : Date.now());

/** @param {{ id: string, from: string, until: string | null, entries: Entry[] }} props */
function Travel({ id, from, until, entries }) {
  const start = Date.parse(from) + AFTER;
  const [end] = useState(() => Math.max(endOf(until), start + 1000));
  const asked = Date.parse(query("at"));
  const [at, setAt] = useState(Number.isNaN(asked) ? end : Math.min(Math.max(asked, start), end));
  const timer = useRef(0);
  useEffect(() => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setQuery({ at: new Date(at).toISOString() }), 150);
    return () => clearTimeout(timer.current);
  }, [at]);
  const past = useQuery(CampaignAsOf, { id, at: query("at") || new Date(end).toISOString() });
  const times = entries.map((entry) => Date.parse(entry.occurredAt) + AFTER);
  /** @param {number} step */
  const jump = (step) => {
    const next = step > 0 ? times.find((time) => time > at) : times.findLast((time) => time < at);
    setAt(next ?? (step > 0 ? end : start));
  };
  return html`<div class="stack">
    <section class="panel slider" aria-label="Time">
      <div class="row between">
        <b class="num" id="at">${absolute(new Date(at).toISOString())}</b>
        <div class="row">
          <button type="button" onClick=${() => jump(-1)}><${Icon} name="back" />Event before</button
          ><button type="button" onClick=${() => jump(1)}>Event after<${Icon} name="next" /></button
          ><button type="button" onClick=${() => setAt(end)}>${until ? "End" : "Now"}</button>
        </div>
      </div>
      <input
        type="range"
        aria-label="Time"
        aria-valuetext=${absolute(new Date(at).toISOString())}
        min=${start}
        max=${end}
        step=${Math.max(1, Math.round((end - start) / 2000))}
        value=${at}
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setAt(Number(e.currentTarget.value))}
      />
      <div class="marks" aria-hidden="true">
        ${times.map(
          (time, i) =>
            html`<i
              key=${entries[i]?.position}
              title=${words(entries[i]?.type ?? "")}
              style=${{ left: `${Math.min(100, (100 * (time - start)) / (end - start))}%` }}
            ></i>`,
        )}
      </div>
    </section>
    <div class="banner" data-kind="info">
      <${Icon} name="clock" />
      <p>
        ${
          at === end
            ? html`The campaign as it stands at the end of what is shown.`
            : html`You look at the past: the campaign as of <b>${absolute(new Date(at).toISOString())}</b>.`
        }
      </p>
    </div>
    ${
      past.error
        ? html`<${Trouble} error=${past.error} again=${past.reload} />`
        : html`<div class="columns">
            <${Stood} past=${past.data?.campaign ?? null} read=${past.data != null} /><${Entries}
              entries=${entries}
              at=${at}
              onPick=${setAt}
            />
          </div>`
    }
  </div>`;
}

/** @param {{ past: Past | null, read: boolean }} props */
function Stood({ past, read }) {
  if (!read) return html`<${Skeleton} />`;
  if (!past)
    return html`<section class="panel"><${Empty} icon="clock" title="There was no such campaign yet" /></section>`;
  const progress = past.progress;
  return html`<section class="panel stack" aria-label="The campaign then">
    <div class="row between">
      <h2>${past.name}</h2>
      <${State} value=${past.state} />
    </div>
    ${past.stateReason && html`<p>${past.stateReason}</p>`}
    <${OutcomeBar} progress=${progress} />
    <dl class="facts">
      ${OUTCOMES.map(
        ([key, status, label]) =>
          html`<dt key=${key}>
              <span class="state" data-state=${status}><i></i>${label}</span>
            </dt>
            <dd class="num" data-then=${key}>${count(progress[key])}</dd>`,
      )}
      <dt>Contacts</dt>
      <dd class="num">${count(progress.contacts)}</dd>
      <dt>Cap</dt>
      <dd class="num">${count(past.cap)}</dd>
      <dt>Start pressed</dt>
      <dd><${Time} at=${past.queuedAt} empty="not yet" /></dd>
      <dt>Started</dt>
      <dd><${Time} at=${past.startedAt} empty="not yet" /></dd>
      <dt>Completed</dt>
      <dd><${Time} at=${past.completedAt} empty="not yet" /></dd>
      <dt>Log position</dt>
      <dd class="num">${count(progress.position)}</dd>
    </dl>
    <${SpendMeter} spend=${progress.spend} budget=${past.budget} />
  </section>`;
}

/** @param {{ entries: Entry[], at: number, onPick: (at: number) => void }} props */
const Entries = ({ entries, at, onPick }) =>
  html`<section class="panel">
    <header><h2>The campaign's own events</h2></header>
    <ol class="timeline">
      ${entries.map((entry) => {
        const time = Date.parse(entry.occurredAt);
        return html`<li key=${entry.position}>
          <button
            type="button"
            class="ghost small"
            style=${{ justifyContent: "start" }}
            aria-current=${time <= at ? "true" : null}
            onClick=${() => onPick(time + AFTER)}
          >
            ${words(
              entry.type.replace(/^campaign\./, ""),
            )}${time <= at ? "" : html` <span class="quiet">(later)</span>`}</button
          ><${Time} at=${entry.occurredAt} /><span class="quiet"
            >${entry.actor} · position ${count(entry.position)}</span
          >
        </li>`;
      })}
    </ol>
  </section>`;
