// @ts-check
import { html, useEffect } from "../../lib.js";
import { useQuery, useThrottled } from "../../api.js";
import { count, dayAndTime, timeOfDay } from "../../format.js";
import { CampaignActivity } from "../../ops.js";

const WIDTHS = [1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600, 10_800, 21_600, 86_400];
const BARS = 60;
const [WIDE, HIGH] = [720, 148];

/** @typedef {NonNullable<import("../../ops.js").CampaignActivityData["campaign"]>["activity"][number]} Bucket */

/**
 * The narrowest width of a bar that shows all the time since the start.
 * @param {string | null} from
 * @param {string | null} until
 */
function bucketWidth(from, until) {
  if (!from) return 60;
  const seconds = ((until ? Date.parse(until) : Date.now()) - Date.parse(from)) / 1000;
  return WIDTHS.find((width) => seconds / width <= BARS) ?? 86_400;
}

/** @param {import("./campaign.js").Part} props */
export function Activity({ campaign, now }) {
  const width = bucketWidth(campaign.queuedAt, campaign.completedAt);
  const read = useQuery(CampaignActivity, { id: campaign.id, bucketSeconds: width }, campaign.queuedAt != null);
  const again = useThrottled(read.reload, 5000);
  const { position } = now();
  useEffect(() => {
    if (read.data) again();
  }, [position]);
  const buckets = read.data?.campaign?.activity ?? [];
  if (!buckets.length) return null;
  return html`<section class="panel">
    <header>
      <h2>Calls over time</h2>
      <div class="legend-row">
        <${Key} state="ENDED" text="Ended" /><${Key} state="FAILED" text="Failed" /><${Key}
          state="QUEUED"
          text="Placed"
        />
      </div>
    </header>
    <${Chart} buckets=${buckets} width=${width} />
  </section>`;
}

/** @param {{ state: string, text: string }} props */
const Key = ({ state, text }) => html`<span class="state" data-state=${state}><i></i>${text}</span>`;

/**
 * All bars between the first and the last, including empty ones.
 * @param {Bucket[]} buckets
 * @param {number} width
 */
function filled(buckets, width) {
  const start = Date.parse(/** @type {Bucket} */ (buckets[0]).from);
  const end = Date.parse(/** @type {Bucket} */ (buckets.at(-1)).from);
  const length = Math.min(Math.round((end - start) / (width * 1000)) + 1, 2 * BARS);
  const bars = Array.from({ length }, (_, i) => ({ at: start + i * width * 1000, placed: 0, ended: 0, failed: 0 }));
  for (const bucket of buckets) {
    const bar = bars[Math.round((Date.parse(bucket.from) - start) / (width * 1000))];
    if (bar) Object.assign(bar, { placed: bucket.placed, ended: bucket.ended, failed: bucket.failed });
  }
  return bars;
}

/** @param {{ buckets: Bucket[], width: number }} props */
function Chart({ buckets, width }) {
  const bars = filled(buckets, width);
  const top = Math.max(1, ...bars.map((bar) => Math.max(bar.placed, bar.ended + bar.failed)));
  const step = WIDE / Math.max(bars.length, 12);
  /** @param {number} n */
  const tall = (n) => (n / top) * (HIGH - 4);
  const shown = width >= 3600 ? dayAndTime : timeOfDay;
  const span = width < 60 ? `${width} s` : width < 3600 ? `${width / 60} min` : `${width / 3600} h`;
  const [placed, ended, failed] = /** @type {const} */ (["placed", "ended", "failed"]).map((key) =>
    bars.reduce((sum, bar) => sum + bar[key], 0),
  );
  const summary = [
    `Calls over time: ${count(placed ?? 0)} placed, ${count(ended ?? 0)} ended, ${count(failed ?? 0)} failed;`,
    `at most ${count(top)} in ${width} s.`,
  ].join(" ");
  return html`<svg
      class="chart"
      viewBox=${`0 0 ${WIDE} ${HIGH}`}
      preserveAspectRatio="none"
      role="img"
      aria-label=${summary}
    >
      <line class="axis" x1="0" x2=${WIDE} y1=${HIGH} y2=${HIGH} />
      ${bars.map(
        (bar, i) =>
          html`<g key=${bar.at}
            ><title>${`${shown(bar.at)}: ${bar.placed} placed, ${bar.ended} ended, ${bar.failed} failed`}</title>
            <rect class="hit" x=${i * step} y="0" width=${step} height=${HIGH} />
            <rect
              data-state="QUEUED"
              x=${i * step + step * 0.08}
              y=${HIGH - tall(bar.placed)}
              width=${step * 0.3}
              height=${tall(bar.placed)}
              rx="1" />
            <rect
              data-state="ENDED"
              x=${i * step + step * 0.44}
              y=${HIGH - tall(bar.ended)}
              width=${step * 0.42}
              height=${tall(bar.ended)}
              rx="1" />
            <rect
              data-state="FAILED"
              x=${i * step + step * 0.44}
              y=${HIGH - tall(bar.ended + bar.failed)}
              width=${step * 0.42}
              height=${tall(bar.failed)}
              rx="1"
          /></g>`,
      )}
    </svg>
    <div class="chart-words">
      <span>${shown(bars[0]?.at ?? 0)}</span><span>at most ${count(top)} in ${span}</span
      ><span>${shown(bars.at(-1)?.at ?? 0)}</span>
    </div>`;
}
