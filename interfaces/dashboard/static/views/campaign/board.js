// @ts-check
import { html, useEffect, useState } from "../../lib.js";
import { useQuery } from "../../api.js";
import { count, counted, dialled, endedReason } from "../../format.js";
import { LiveCalls } from "../../ops.js";
import { here } from "../../route.js";
import { LIVE } from "../../states.js";
import { State, Timer } from "../../ui.js";

/** @typedef {import("./campaign.js").Contact} Contact */
/** @typedef {{ contact: Contact, over: boolean } | null} Seat */
const MOST = 50;

/**
 * Assigns each live call a fixed seat; a seat is reused after its call has ended.
 * @param {Seat[]} seats
 * @param {Contact[]} contacts
 * @returns {Seat[]}
 */
export function seated(seats, contacts) {
  const next = [...seats];
  for (const contact of contacts) {
    const live = LIVE.has(contact.status);
    let at = next.findIndex((seat) => seat?.contact.id === contact.id);
    if (at < 0 && live) at = next.findIndex((seat) => !seat || seat.over);
    if (at < 0 && live && next.length < MOST) at = next.length;
    if (at >= 0) next[at] = { contact, over: !live };
  }
  return next;
}

/** @param {Seat[]} seats @param {Contact[]} live @returns {Seat[]} */
function reseated(seats, live) {
  const ids = new Set(live.map(({ id }) => id));
  return seated(
    seats.map((seat) => (seat && (seat.over || ids.has(seat.contact.id)) ? seat : null)),
    live,
  );
}

/**
 * @param {{
 *   id: string,
 *   cap: number,
 *   over: () => boolean,
 *   started: boolean,
 *   useUpdates: import("./campaign.js").Feed,
 * }} props
 */
export function Board({ id, cap, over, started, useUpdates }) {
  const [seats, setSeats] = useState(/** @type {Seat[]} */ ([]));
  const live = useQuery(LiveCalls, { id, statuses: [...LIVE] }, started);
  useEffect(() => {
    const nodes = live.data?.campaign?.contacts.nodes;
    if (nodes) setSeats((old) => reseated(old, nodes));
  }, [live.data]);
  useUpdates((contacts) => setSeats((old) => seated(old, contacts)));
  const busy = seats.filter((seat) => seat && !seat.over).length;
  if (over() && !busy) return null;
  const places = Math.max(seats.length, Math.min(cap, MOST));
  return html`<section class="panel" aria-labelledby="live">
    <header>
      <h2 id="live">Live calls</h2>
      <span class="hint num"
        >${count(busy)} of ${counted(cap, "place")} taken${cap > MOST ? `, ${MOST} shown` : ""}</span
      >
    </header>
    <ol class="board">
      ${Array.from({ length: places }, (_, i) => html`<${Slot} key=${i} seat=${seats[i] ?? null} campaign=${id} />`)}
    </ol>
  </section>`;
}

/** @param {{ seat: Seat, campaign: string }} props */
function Slot({ seat, campaign }) {
  if (!seat) return html`<li class="slot free">Free</li>`;
  const { contact, over } = seat;
  const call = contact.call;
  return html`<li class="slot" data-state=${contact.status} data-over=${over ? "" : null}>
    <a href=${`/campaigns/${campaign}/contacts/${contact.id}${here.value.search}`}>${contact.name || "Erased"}</a>
    ${
      call
        ? html`<${Timer}
            since=${call.startedAt ?? call.placedAt ?? call.queuedAt}
            until=${over ? (call.endedAt ?? call.lastEventAt) : null}
          />`
        : html`<span></span>`
    }
    <span class="quiet" title=${dialled(contact)}
      >${over ? endedReason(call?.endedReason) || dialled(contact) : dialled(contact)}</span
    >
    <${State} value=${contact.status} />
  </li>`;
}
