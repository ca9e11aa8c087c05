// @ts-check
import { html, useEffect, useRef, useState } from "../lib.js";
import { epoch, may, subscribe, useQuery } from "../api.js";
import { absolute, count, timeOfDay } from "../format.js";
import { useKeys } from "../keys.js";
import { Audit, EventAppended, Events } from "../ops.js";
import { Pager } from "../pager.js";
import { query, setQuery } from "../route.js";
import { Evidence } from "./evidence.js";
import { Empty, Head, Icon, Id, Skeleton, Time, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").EventsData["events"]["nodes"][number]} Entry */
const MOST = 200;
const TYPES = [
  "campaign.created",
  "campaign.contacts_imported",
  "campaign.queued",
  "campaign.dialing_started",
  "campaign.running",
  "campaign.paused",
  "campaign.resumed",
  "campaign.changed",
  "campaign.completed",
  "campaign.canceled",
  "campaign.failed",
  "campaign.spend_alert_raised",
  "call.created",
  "call.requested",
  "call.placed",
  "call.deferred",
  "call.outcome_unknown",
  "call.rejected",
  "call.ringing",
  "call.answered",
  "call.ended",
  "call.reported",
  "call.timed_out",
  "call.failed",
  "call.canceled",
  "call.duplicate_detected",
  "dispatcher.calls_claimed",
  "assistant.created",
  "assistant.changed",
  "assistant.archived",
  "member.added",
  "member.role_changed",
  "member.removed",
  "settings.created",
  "settings.changed",
  "contact.erased",
];

/** A local time of an input, in the format of the API. @param {string} local */
const instant = (local) => (local ? new Date(local).toISOString() : null);

function filterNow() {
  const [type, actor, campaign, since, until] = ["type", "actor", "campaign", "since", "until"].map(query);
  const filter = {
    ...(type && { types: [type] }),
    ...(actor && { actor }),
    ...(campaign && { campaignId: campaign }),
    ...(since && { since: instant(since) }),
    ...(until && { until: instant(until) }),
  };
  return Object.keys(filter).length ? filter : null;
}

export default function AuditView() {
  if (!may.audit()) return html`<${Head} title="Audit" /><${Empty} icon="audit" title="For auditors and admins" />`;
  return html`<${Page} />`;
}

function Page() {
  const read = useQuery(Audit, {});
  return html`<${Head} title="Audit" lead="Every stored event, in order, linked by a hash chain that reveals changes."
      ><${Evidence} done=${read.reload}
    /><//>
    <div class="stack"><${Verified} read=${read} /><${Log} /></div>`;
}

/** @param {{ read: { data: import("../ops.js").AuditData | null, error: Error | null, reload: () => void } }} props */
function Verified({ read }) {
  const audit = read.data?.audit;
  if (read.error) return html`<${Trouble} error=${read.error} again=${read.reload} />`;
  if (!audit) return null;
  if (audit.firstProblem)
    return html`<div class="banner" data-kind="bad" role="alert">
      <${Icon} name="warning" />
      <p>
        <b
          >The history was changed
          ${audit.firstProblem.position == null ? "" : ` at position ${count(audit.firstProblem.position)}`}.</b
        >
        ${audit.firstProblem.message} Keep a copy of the database and find out who could write to it.
      </p>
    </div>`;
  if (!audit.verifiedAt)
    return html`<div class="banner" data-kind="info">
      <${Icon} name="audit" />
      <p>
        <b>Not verified yet.</b> A verification checks every stored event against the chain and the read tables against
        the events, as <code>autolynx audit verify</code> does. The log has ${count(audit.head)} positions.
      </p>
    </div>`;
  return html`<div class="banner" data-kind="good">
    <${Icon} name="check" />
    <p>
      <b>Verified up to position ${count(audit.verifiedUpTo)} of ${count(audit.head)}</b>,${" "}
      <${Time} at=${audit.verifiedAt} />. No problem was found.
    </p>
  </div>`;
}

function Log() {
  const after = query("after");
  const filter = filterNow();
  const key = JSON.stringify(filter);
  const read = useQuery(Events, { filter, after: after || null });
  const [tail, setTail] = useState(/** @type {Entry[]} */ ([]));
  const [frozen, setFrozen] = useState(false);
  const held = useRef(/** @type {Entry[]} */ ([]));
  const [waiting, setWaiting] = useState(0);
  const stopped = useRef(frozen);
  stopped.current = frozen;
  const newest = read.data?.events.nodes[0]?.position ?? 0;
  const following = read.data != null && !after;
  useEffect(() => {
    setTail([]);
    held.current = [];
    setWaiting(0);
    if (!following) return;
    let drawn = 0;
    const draw = () => {
      drawn = 0;
      if (stopped.current) return setWaiting(held.current.length);
      const some = held.current.reverse();
      held.current = [];
      setTail((old) => [...some, ...old].slice(0, MOST));
    };
    const stop = subscribe(EventAppended, { after: newest, filter }, ({ eventAppended }) => {
      held.current = [...held.current, eventAppended].slice(-MOST);
      drawn ||= window.setTimeout(draw, 250);
    });
    return () => {
      stop();
      clearTimeout(drawn);
    };
  }, [key, following, newest, epoch.value]);
  const freeze = () => {
    if (frozen) {
      const some = held.current.reverse();
      held.current = [];
      setTail((old) => [...some, ...old].slice(0, MOST));
      setWaiting(0);
    }
    setFrozen(!frozen);
  };
  useKeys({ f: freeze });
  const page = read.data?.events;
  const known = new Set(tail.map((entry) => entry.position));
  const rows = [...tail, ...(page?.nodes ?? []).filter((entry) => !known.has(entry.position))];
  return html`<section class="panel flush">
    <header>
      <h2>Events</h2>
      ${
        following &&
        html`<button type="button" aria-pressed=${frozen} title="Freeze or follow (f)" onClick=${freeze}>
          <${Icon}
            name=${frozen ? "play" : "pause"}
          />${frozen ? `Follow${waiting ? ` (${count(waiting)} new)` : ""}` : "Freeze"}
        </button>`
      }
    </header>
    <div style=${{ padding: "14px 20px 0" }}><${Filters} /></div>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      !page
        ? !read.error && html`<div style=${{ padding: "0 20px" }}><${Skeleton} rows=${8} /></div>`
        : !rows.length
          ? html`<${Empty} icon="audit" title="No event matches" />`
          : html`<div class="scroll">
                <table class="table stacked">
                  <thead>
                    <tr>
                      <th class="num">Position</th>
                      <th>Event</th>
                      <th>Actor</th>
                      <th>Of</th>
                      <th>When</th>
                      <th><span class="sr">Payload</span></th>
                    </tr>
                  </thead>
                  <tbody>
                    ${rows.map((entry) => html`<${Line} key=${entry.position} entry=${entry} />`)}
                  </tbody>
                </table>
              </div>
              <${Pager} shown=${rows.length} info=${page.pageInfo} />`
    }
  </section>`;
}

/** @param {{ entry: Entry }} props */
const Line = ({ entry }) =>
  html`<tr>
    <td class="num">${count(entry.position)}</td>
    <td><b>${entry.type}</b></td>
    <td data-label="Actor">${entry.actor}</td>
    <td data-label="Of">
      <${Id} id=${entry.aggregateId} label=${`${entry.aggregateType} id`} />
      <span class="quiet num">v${entry.version}</span>
    </td>
    <td class="nowrap" data-label="When">
      <time datetime=${entry.occurredAt} title=${absolute(entry.occurredAt)}>${timeOfDay(entry.occurredAt)}</time>
    </td>
    <td>
      <details class="payload">
        <summary aria-label=${`Payload of event ${entry.position}`}>Payload</summary>
        <pre tabindex="0">${JSON.stringify(entry.payload, null, 2)}</pre>
      </details>
    </td>
  </tr>`;

function Filters() {
  /** @param {string} name */
  const bind = (name) => ({
    value: query(name),
    onChange: (/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
      setQuery({ [name]: e.currentTarget.value.trim(), after: null }),
  });
  return html`<div class="filters">
    <input
      list="types"
      aria-label="Type"
      placeholder="Type, such as call.ended"
      style=${{ width: "210px" }}
      ...${bind("type")}
      data-search
    /><datalist id="types">${TYPES.map((type) => html`<option key=${type} value=${type} />`)}</datalist>
    <input aria-label="Actor" placeholder="Actor" style=${{ width: "150px" }} ...${bind("actor")} />
    <input aria-label="Campaign id" placeholder="Campaign id" style=${{ width: "170px" }} ...${bind("campaign")} />
    <label class="row hint"
      >from <input type="datetime-local" step="1" style=${{ width: "auto" }} ...${bind("since")}
    /></label>
    <label class="row hint"
      >to <input type="datetime-local" step="1" style=${{ width: "auto" }} ...${bind("until")}
    /></label>
    ${
      filterNow() &&
      html`<button
        type="button"
        onClick=${() => setQuery({ type: null, actor: null, campaign: null, since: null, until: null, after: null })}
      >
        Clear
      </button>`
    }
  </div>`;
}
