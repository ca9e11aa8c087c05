// @ts-check
import { html, signal, useEffect, useRef, useState } from "./lib.js";
import { useQuery } from "./api.js";
import { Alerts } from "./ops.js";
import { Dialog, Icon, Time } from "./ui.js";

/** @typedef {import("./ops.js").AlertsData["alerts"][number]} Alert */

const EVERY_MS = 30_000;
const SEEN = "alerts-seen";

/** The position of the newest alert that this browser has shown. */
const seen = signal(readSeen());

function readSeen() {
  try {
    return Number(localStorage.getItem(SEEN) ?? 0);
  } catch {
    return 0; // This browser keeps no settings: all alerts count as new.
  }
}

/** @param {number} position */
function remember(position) {
  seen.value = Math.max(seen.value, position);
  try {
    localStorage.setItem(SEEN, String(seen.value));
  } catch {
    // They count as seen until the page is closed.
  }
}

/** A bell with the number of alerts that this browser has not shown yet. */
export function AlertsBell() {
  const read = useQuery(Alerts, {});
  const [open, setOpen] = useState(false);
  const reload = useRef(read.reload);
  reload.current = read.reload;
  useEffect(() => {
    const timer = setInterval(() => reload.current(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const alerts = read.data?.alerts ?? [];
  const fresh = alerts.filter((one) => Number(one.position) > seen.value).length;
  const show = () => {
    setOpen(true);
    reload.current();
  };
  const close = () => {
    setOpen(false);
    remember(Math.max(0, ...alerts.map((one) => Number(one.position))));
  };
  const label = fresh ? `Alerts: ${fresh} new` : "Alerts";
  return html`<button type="button" class="ghost bell" aria-label=${label} title=${label} onClick=${show}>
      <${Icon} name="bell" />${fresh > 0 && html`<span class="count" aria-hidden="true">${fresh}</span>`}
    </button>
    ${open && html`<${List} alerts=${alerts} since=${seen.value} onClose=${close} />`}`;
}

/** @param {{ alerts: Alert[], since: number, onClose: () => void }} props */
const List = ({ alerts, since, onClose }) =>
  html`<${Dialog} title="Alerts" onClose=${onClose}>
    ${alerts.length === 0 && html`<p class="quiet">There are no alerts.</p>`}
    <ul class="alerts">
      ${alerts.map(
        (one) =>
          html`<li key=${one.position}>
            <p>${Number(one.position) > since && html`<b>New: </b>`}${one.message}</p>
            <span class="quiet"><${Time} at=${one.raisedAt} /></span>
            ${one.campaignId && html`${" "}<a href=${`/campaigns/${one.campaignId}`} onClick=${onClose}>Campaign</a>`}
          </li>`,
      )}
    </ul>
  <//>`;
