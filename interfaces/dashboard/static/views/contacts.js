// @ts-check
import { html, useState } from "../lib.js";
import { useQuery } from "../api.js";
import { count, dialled, duration, endedReason, price, words } from "../format.js";
import { Contacts as Query } from "../ops.js";
import { here, query, setQuery } from "../route.js";
import { Empty, Pager, Search, Skeleton, State, Time, Trouble } from "../ui.js";

/** @typedef {import("./campaign.js").Contact} Contact */
/** @typedef {import("../ops.js").ContactStatus} Status */
/** @type {import("../ops.js").CallOutcome[]} */
const CALL_OUTCOMES = [
  "HUMAN",
  "DROPPED_EARLY",
  "VOICEMAIL",
  "SCREENED",
  "SILENT",
  "NO_ANSWER",
  "BUSY",
  "DECLINED",
  "INVALID_NUMBER",
  "FAULT",
  "NOT_STARTED",
  "CANCELED",
  "UNKNOWN",
];
/** @type {import("../ops.js").Disposition[]} */
const DISPOSITIONS = ["GOAL_REACHED", "CALLBACK_REQUESTED", "OPTED_OUT", "WRONG_PERSON", "NOT_INTERESTED", "OTHER"];
/** @type {Status[]} */
const STATUSES = ["PENDING", "QUEUED", "RINGING", "IN_PROGRESS", "ENDED", "FAILED", "CANCELED", "TIMEOUT"];

/** @param {{ id: string, open: string | null, useUpdates: import("./campaign.js").Feed }} props */
export function Contacts({ id, open, useUpdates }) {
  const [status, search, after] = [/** @type {Status | ""} */ (query("status")), query("q"), query("after")];
  const outcome = /** @type {import("../ops.js").CallOutcome | ""} */ (query("outcome"));
  const disposition = /** @type {import("../ops.js").Disposition | ""} */ (query("disposition"));
  const [moved, setMoved] = useState(0);
  const read = useQuery(Query, {
    id,
    statuses: status ? [status] : null,
    search: search || null,
    after: after || null,
    outcomes: outcome ? [outcome] : null,
    dispositions: disposition ? [disposition] : null,
  });
  const page = read.data?.campaign?.contacts;
  useUpdates((contacts) => {
    if (!page) return;
    const changed = new Map(contacts.map((contact) => [contact.id, contact]));
    if (status) setMoved((n) => n + contacts.filter((contact) => contact.status === status).length);
    if (page.nodes.some((node) => changed.has(node.id))) read.change((old) => patched(old, changed));
  });
  const again = () => {
    setMoved(0);
    read.reload();
  };
  return html`<section class="panel flush" id="contacts" aria-labelledby="contacts-title">
    <header>
      <h2 id="contacts-title">Contacts</h2>
      <div class="row">
        <${Search}
          label="Search name, business or number"
          value=${search}
          onText=${(/** @type {string} */ q) => setQuery({ q, after: null })}
        />
        <select
          aria-label="Status"
          style=${{ width: "auto" }}
          value=${status}
          onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
            setQuery({ status: e.currentTarget.value, after: null })}
        >
          <option value="">Every status</option>
          ${STATUSES.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
        </select>
        <select
          aria-label="Outcome"
          style=${{ width: "auto" }}
          value=${outcome}
          onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
            setQuery({ outcome: e.currentTarget.value, after: null })}
        >
          <option value="">Every outcome</option>
          ${CALL_OUTCOMES.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
        </select>
        <select
          aria-label="Disposition"
          style=${{ width: "auto" }}
          value=${disposition}
          onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
            setQuery({ disposition: e.currentTarget.value, after: null })}
        >
          <option value="">Every disposition</option>
          ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
        </select>
      </div>
    </header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      moved > 0 &&
      html`<div class="pager">
        <span>${count(moved)} contacts came to this status since.</span
        ><button type="button" onClick=${again}>Show them</button>
      </div>`
    }
    ${
      !page
        ? html`<div style=${{ padding: "0 20px" }}><${Skeleton} rows=${6} /></div>`
        : !page.nodes.length
          ? html`<${Empty} icon="search" title="No contact matches"
              >${
                (status || outcome || disposition || search) &&
                html`<button
                  type="button"
                  onClick=${() => setQuery({ q: null, status: null, outcome: null, disposition: null, after: null })}
                >
                  Clear the filters
                </button>`
              }<//
            >`
          : html`<div class="scroll">
                <table class="table">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th class="wide">Number</th>
                      <th>Status</th>
                      <th class="wide">Outcome</th>
                      <th class="wide num">Length</th>
                      <th class="wide num">Cost</th>
                      <th class="wide">Last event</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${page.nodes.map(
                      (contact) =>
                        html`<${Line}
                          key=${contact.id}
                          contact=${contact}
                          campaign=${id}
                          open=${contact.id === open}
                        />`,
                    )}
                  </tbody>
                </table>
              </div>
              <${Pager}
                shown=${page.nodes.length}
                total=${page.totalCount}
                capped=${Boolean(search)}
                more=${page.pageInfo.hasNextPage}
                onMore=${() => setQuery({ after: page.pageInfo.endCursor }, {})}
                onFirst=${after ? () => setQuery({ after: null }, {}) : null}
              />`
    }
  </section>`;
}

/** @param {import("../ops.js").ContactsData} old @param {Map<string, Contact>} changed */
function patched(old, changed) {
  if (!old.campaign) return old;
  const { contacts } = old.campaign;
  return {
    campaign: {
      ...old.campaign,
      contacts: { ...contacts, nodes: contacts.nodes.map((node) => changed.get(node.id) ?? node) },
    },
  };
}

/** @param {{ contact: Contact, campaign: string, open: boolean }} props */
function Line({ contact, campaign, open }) {
  const call = contact.call;
  return html`<tr data-open=${open ? "" : null}>
    <td class="main">
      <a data-row href=${`/campaigns/${campaign}/contacts/${contact.id}${here.value.search}`}
        >${contact.name || "Erased"}</a
      ><span>${contact.businessName}</span>
    </td>
    <td class="wide num" style=${{ textAlign: "left" }}>${dialled(contact)}</td>
    <td><${State} value=${contact.status} /></td>
    <td class="wide" title=${endedReason(call?.endedReason)}>
      ${contact.outcome ? words(contact.outcome) : endedReason(call?.endedReason)}${
        contact.disposition ? html`<span class="quiet"> · ${words(contact.disposition)}</span>` : ""
      }
    </td>
    <td class="wide num">${call?.durationSeconds == null ? "" : duration(call.durationSeconds)}</td>
    <td class="wide num">${call?.cost == null ? "" : price(call.cost)}</td>
    <td class="wide">${call ? html`<${Time} at=${call.lastEventAt} />` : ""}</td>
  </tr>`;
}
