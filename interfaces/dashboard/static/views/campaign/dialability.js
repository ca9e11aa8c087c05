// @ts-check
import { html, useEffect } from "../../lib.js";
import { useQuery } from "../../api.js";
import { count, counted, dayAndTime, weekday } from "../../format.js";
import { neverWords, NO_ADVICE, sourceWords, waitingWords } from "../../gate_words.js";
import { CampaignDialability, UploadDialability } from "../../ops.js";
import { Moment, Skeleton, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").CampaignDialabilityData["dialability"]} Counts */

const [WIDE, HIGH] = [720, 110];
const REFRESH = 60_000;

/** How many contacts of a campaign may be called now, later and never. @param {{ id: string }} props */
export function CampaignDialable({ id }) {
  const read = useQuery(CampaignDialability, { id });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && read.reload(), REFRESH);
    return () => clearInterval(timer);
  }, [id]);
  if (read.data && !read.data.dialability.contacts) return null;
  return html`<${Panel} read=${read} />`;
}

/**
 * @typedef {{
 *   purpose?: import("../../ops.js").CallPurpose | null,
 *   callingHours?: import("../../ops.js").CallingHoursInput | null,
 *   requireConsent?: boolean | null,
 * }} Terms
 */

/**
 * The same for an uploaded file, under the terms of the planned campaign.
 * @param {{ uploadId: string, terms: Terms }} props
 */
export const UploadDialable = ({ uploadId, terms }) =>
  html`<${Panel} read=${useQuery(UploadDialability, { uploadId, ...terms })} />`;

/** @param {{ read: { data: { dialability: Counts } | null, error: Error | null, reload: () => void } }} props */
function Panel({ read }) {
  const counts = read.data?.dialability;
  if (!read.error && !counts) return html`<section class="panel"><${Skeleton} rows=${3} /></section>`;
  return html`<section class="panel stack" aria-labelledby="dialable">
    <header><h2 id="dialable">Who may be called, and when</h2></header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${counts && html`<${Dialable} counts=${counts} />`}
  </section>`;
}

/** The counts with the chart of the next 72 hours. @param {{ counts: Counts }} props */
const Dialable = ({ counts }) =>
  html`<div class="sums">
      <div><b>${count(counts.now)}</b> may be called now</div>
      <div><b>${count(sum(counts.later))}</b> later</div>
      <div><b>${count(sum(counts.never))}</b> never</div>
    </div>
    <${Hours} counts=${counts} />
    ${
      counts.later.length > 0 &&
      html`<${Reasons}
        title="Later"
        rows=${counts.later.map((one) => ({ key: one.code, ...one, text: waitingWords(one.code) }))}
      />`
    }
    ${
      counts.never.length > 0 &&
      html`<${Reasons}
        title="Never"
        rows=${counts.never.map((one) => ({ key: one.reason, ...one, from: null, text: neverWords(one.reason) }))}
      />`
    }
    <p class="hint">
      ${
        counts.placeSources.length > 0 &&
        `Places are known by ${counts.placeSources
          .map((one) => `${sourceWords(one.source)} (${count(one.contacts)})`)
          .join(", ")}. `
      }${NO_ADVICE}
    </p>`;

/** @param {readonly { contacts: number }[]} some */
const sum = (some) => some.reduce((all, one) => all + one.contacts, 0);

/**
 * @param {{ title: string, rows: { key: string, contacts: number, text: string, from: string | null }[] }} props
 */
const Reasons = ({ title, rows }) =>
  html`<div>
    <h3>${title}</h3>
    <ul class="reasons">
      ${rows.map(
        (row) =>
          html`<li key=${row.key}>
            <b>${count(row.contacts)}</b
            ><span>${row.text}${row.from && html`<span class="quiet">, from <${Moment} at=${row.from} /></span>`}</span>
          </li>`,
      )}
    </ul>
  </div>`;

/**
 * Contacts that may be called in each of the next hours, in the time of the viewer.
 * @param {{ counts: Counts }} props
 */
function Hours({ counts }) {
  const { hours, contacts } = counts;
  const top = Math.max(1, ...hours.map((hour) => hour.contacts));
  const step = WIDE / Math.max(hours.length, 1);
  const best = hours.find((hour) => hour.contacts === top);
  const summary = best
    ? `Contacts that may be called in each of the next ${hours.length} hours. At most ${count(top)} of ` +
      `${count(contacts)}, first in the hour from ${dayAndTime(best.from)}.`
    : `Nobody may be called in the next ${hours.length} hours.`;
  return html`<figure>
    <svg
      class="chart hours"
      viewBox=${`0 0 ${WIDE} ${HIGH}`}
      preserveAspectRatio="none"
      role="img"
      aria-label=${summary}
    >
      ${hours.map((hour, i) => {
        const tall = (hour.contacts / top) * (HIGH - 4);
        return html`<g key=${hour.from}
          ><title>${`${dayAndTime(hour.from)}: ${counted(hour.contacts, "contact")}`}</title>
          <rect class="hit" x=${i * step} y="0" width=${step} height=${HIGH} />
          <rect
            data-state="RUNNING"
            x=${i * step + step * 0.12}
            y=${HIGH - tall}
            width=${step * 0.76}
            height=${tall}
            rx="1"
        /></g>`;
      })}
      ${hours.map(
        (hour, i) =>
          i > 0 && isMidnight(hour.from) && html`<line class="day" x1=${i * step} x2=${i * step} y1="0" y2=${HIGH} />`,
      )}
      <line class="axis" x1="0" x2=${WIDE} y1=${HIGH} y2=${HIGH} />
    </svg>
    <div class="days" aria-hidden="true">
      ${hours.map(
        (hour, i) =>
          (i === 0 || (isMidnight(hour.from) && i < hours.length - 4 && i > 5)) &&
          html`<span key=${hour.from} style=${{ left: `${(100 * i) / hours.length}%` }}
            >${i ? weekday(hour.from) : "now"}</span
          >`,
      )}
    </div>
    <figcaption class="hint">
      Contacts that may be called in each of the next ${hours.length} hours, at most ${count(top)}; in your time
    </figcaption>
  </figure>`;
}

/** Whether the hour that ends at `at` belongs to the day before, in the time of the viewer. @param {string} at */
const isMidnight = (at) => new Date(at).getHours() === 0;
