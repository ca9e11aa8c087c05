// @ts-check
import { html, useState } from "../../lib.js";
import { may, useQuery, useThrottled } from "../../api.js";
import { counted, dialled, duration, endedReason, price, words } from "../../format.js";
import { neverWords, waitingWords } from "../../gate_words.js";
import { Contacts as Query } from "../../ops.js";
import { Pager } from "../../pager.js";
import { here, query, setQuery } from "../../route.js";
import { DISPOSITIONS } from "./contact_actions.js";
import { CALL_OUTCOMES, STATUSES } from "./contact_values.js";
import { SelectAll, Selected, SelectOne, useSelection } from "./selection.js";
import { Empty, Search, Skeleton, State, Time, Trouble } from "../../ui.js";

/** @typedef {import("../campaign/campaign.js").Contact} Contact */
/** @typedef {import("../../ops.js").ContactStatus} Status */
/** @typedef {import("../../ops.js").WaitingCode} WaitingCode */
/** @type {import("../../ops.js").Withheld[]} */
const WITHHELD = ["SUPPRESSED", "NO_CONSENT", "PLACE_UNKNOWN", "EXPIRED", "REMOVED"];
/** Shortest interval in which the reasons of waiting contacts are read again, in milliseconds. */
const REASONS_EVERY_MS = 2_000;
/** Reasons that concern single contacts; the others concern the whole campaign. @type {WaitingCode[]} */
const WAITING = [
  "OUTSIDE_HOURS",
  "RETRY_PLANNED",
  "CALLBACK_PLANNED",
  "FREQUENCY_CAP",
  "LIST_STALE",
  "NO_RULES",
  "RULES_UNAVAILABLE",
  "RETRY_LATER",
  "OUTCOME_UNKNOWN",
];
/** The filters in the address: name, label, first option, values, words of a value. */
const FILTERS = /** @type {const} */ ([
  ["status", "Status", "Every status", STATUSES, words],
  ["outcome", "Outcome", "Every outcome", CALL_OUTCOMES, words],
  ["disposition", "Disposition", "Every disposition", DISPOSITIONS, words],
  ["waiting", "Waits because", "Whatever it waits for", WAITING, waitingWords],
  ["withheld", "Never called because", "Called or not", WITHHELD, neverWords],
]);
const NO_FILTERS = {
  q: null,
  status: null,
  outcome: null,
  disposition: null,
  waiting: null,
  withheld: null,
  after: null,
};

/**
 * @param {{
 *   campaign: { id: string, name: string },
 *   open: string | null,
 *   useUpdates: import("../campaign/campaign.js").Feed,
 * }} props
 */
export function Contacts({ campaign, open, useUpdates }) {
  const { id } = campaign;
  const selection = useSelection();
  const [status, search, after] = [/** @type {Status | ""} */ (query("status")), query("q"), query("after")];
  const [moved, setMoved] = useState(0);
  const read = useQuery(Query, {
    id,
    statuses: chosen("status"),
    search: search || null,
    after: after || null,
    outcomes: chosen("outcome"),
    dispositions: chosen("disposition"),
    withheld: chosen("withheld"),
    waitingFor: chosen("waiting"),
  });
  const isFiltered = Boolean(search || FILTERS.some(([name]) => query(name)));
  const page = read.data?.campaign?.contacts;
  const readReasons = useThrottled(read.reload, REASONS_EVERY_MS);
  useUpdates((contacts) => {
    if (!page) return;
    const changed = new Map(contacts.map((contact) => [contact.id, contact]));
    if (status) setMoved((n) => n + contacts.filter((contact) => contact.status === status).length);
    const shown = page.nodes.flatMap((node) => changed.get(node.id) ?? []);
    if (shown.length) read.change((old) => patched(old, changed));
    // An update does not say why the contact waits now, for example for a planned retry.
    if (shown.some((contact) => contact.status === "PENDING")) readReasons();
  });
  const again = () => {
    setMoved(0);
    read.reload();
  };
  return html`<section class="panel flush" id="contacts" aria-labelledby="contacts-title">
    <header>
      <h2 id="contacts-title">Contacts</h2>
      <${Search}
        label="Search name, business or number"
        value=${search}
        onText=${(/** @type {string} */ q) => setQuery({ q, after: null })}
      />
    </header>
    <${Filters} />
    <${Selected} campaign=${campaign} selection=${selection} />
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      moved > 0 &&
      html`<div class="pager">
        <span>${counted(moved, "contact")} came to this status since.</span
        ><button type="button" onClick=${again}>Show them</button>
      </div>`
    }
    ${
      !page
        ? html`<div style=${{ padding: "0 20px" }}><${Skeleton} rows=${6} /></div>`
        : !page.nodes.length
          ? html`<${Empty} icon="search" title="No contact matches"
              >${
                isFiltered &&
                html`<button type="button" onClick=${() => setQuery(NO_FILTERS)}>Clear the filters</button>`
              }<//
            >`
          : html`<div class="scroll">
                <table class="table stacked">
                  <thead>
                    <tr>
                      ${
                        may.operate() &&
                        html`<th class="tick-cell">
                          <${SelectAll} ids=${page.nodes.map((one) => one.id)} selection=${selection} />
                        </th>`
                      }
                      <th>Name</th>
                      <th>Number</th>
                      <th>Status</th>
                      <th>Outcome</th>
                      <th class="num">Length</th>
                      <th class="num">Cost</th>
                      <th>Last event</th>
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
                          selection=${selection}
                        />`,
                    )}
                  </tbody>
                </table>
              </div>
              <${Pager}
                shown=${page.nodes.length}
                total=${page.totalCount}
                capped=${Boolean(search)}
                info=${page.pageInfo}
              />`
    }
  </section>`;
}

/** The value of a filter as a list for the API. @param {string} name @returns {any} */
const chosen = (name) => (query(name) ? [query(name)] : null);

const Filters = () =>
  html`<div class="filters inset">
    ${FILTERS.map(([name, label, all, values, wordsOf]) => {
      const value = query(name);
      const options = /** @type {string[]} */ ([...values]);
      return html`<select
        key=${name}
        aria-label=${label}
        value=${value}
        onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
          setQuery({ [name]: e.currentTarget.value, after: null })}
      >
        <option value="">${all}</option>
        ${(value && !options.includes(value) ? [...options, value] : options).map(
          (one) =>
            html`<option key=${one} value=${one}>${/** @type {(code: any) => string} */ (wordsOf)(one)}</option>`,
        )}
      </select>`;
    })}
  </div>`;

/** @param {import("../../ops.js").ContactsData} old @param {Map<string, Contact>} changed */
function patched(old, changed) {
  if (!old.campaign) return old;
  const { contacts } = old.campaign;
  return {
    campaign: {
      ...old.campaign,
      contacts: { ...contacts, nodes: contacts.nodes.map((node) => ({ ...node, ...changed.get(node.id) })) },
    },
  };
}

/** @typedef {NonNullable<import("../../ops.js").ContactsData["campaign"]>["contacts"]["nodes"][number]} Row */

/**
 * @param {{
 *   contact: Row,
 *   campaign: string,
 *   open: boolean,
 *   selection: import("./selection.js").Selection,
 * }} props
 */
function Line({ contact, campaign, open, selection }) {
  const call = contact.call;
  return html`<tr data-open=${open ? "" : null}>
    ${may.operate() && html`<td class="tick-cell"><${SelectOne} contact=${contact} selection=${selection} /></td>`}
    <td class="main">
      <a data-row href=${`/campaigns/${campaign}/contacts/${contact.id}${here.value.search}`}
        >${contact.name || "Erased"}</a
      ><span>${contact.businessName}</span
      >${contact.note && html`<span class="note" title=${contact.note}>${contact.note}</span>`}
    </td>
    <td class="num left" data-label="Number">${dialled(contact)}</td>
    <td data-label="Status"><${State} value=${contact.status} /><${Why} contact=${contact} /></td>
    <td data-label="Outcome" title=${endedReason(call?.endedReason)}>
      ${contact.outcome ? words(contact.outcome) : endedReason(call?.endedReason)}${
        contact.disposition ? html`<span class="quiet"> · ${words(contact.disposition)}</span>` : ""
      }
    </td>
    <td class="num" data-label="Length">${call?.durationSeconds == null ? "" : duration(call.durationSeconds)}</td>
    <td class="num" data-label="Cost">${call?.cost == null ? "" : price(call.cost)}</td>
    <td data-label="Last event">${call ? html`<${Time} at=${call.lastEventAt} />` : ""}</td>
  </tr>`;
}

/** Why the contact is not called now, or never. @param {{ contact: Row }} props */
function Why({ contact }) {
  if (contact.withheld) return html`<div class="hint">${neverWords(contact.withheld)}</div>`;
  if (contact.status !== "PENDING" || !contact.waitingFor) return null;
  return html`<div class="hint">
    ${waitingWords(contact.waitingFor)}${
      contact.nextAttemptAt && html`, <${Time} at=${contact.nextAttemptAt} planned />`
    }
  </div>`;
}
