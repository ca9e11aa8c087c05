// @ts-check
import { html, useEffect, useState } from "../../lib.js";
import { useQuery } from "../../api.js";
import { count, counted, dayAndTime, money } from "../../format.js";
import { neverWords, waitingWords } from "../../gate_words.js";
import { CampaignForecast, DraftForecast } from "../../ops.js";
import { Skeleton, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").DraftForecastData["forecast"]} Forecast */
/** @typedef {NonNullable<import("../../ops.js").CampaignForecastData["campaign"]>} Campaign */
/** @typedef {{ p10: number, p50: number, p90: number }} Interval */

const TYPING = 700;
const REFRESH = 60_000;
const [WIDE, HIGH] = [720, 148];

/**
 * The forecast of a campaign that is being entered, some time after the last change.
 * @param {{ draft: import("../../ops.js").CreateCampaignInput }} props
 */
export function DraftForecastCard({ draft }) {
  const [asked, setAsked] = useState(draft);
  const key = JSON.stringify(draft);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(draft), TYPING);
    return () => clearTimeout(timer);
  }, [key]);
  const read = useQuery(DraftForecast, { draft: asked });
  return html`<${Card} forecast=${read.data?.forecast ?? null} read=${read} />`;
}

/** The forecast of a campaign, with the calls made so far. @param {{ id: string }} props */
export function CampaignForecastPanel({ id }) {
  const read = useQuery(CampaignForecast, { id });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && read.reload(), REFRESH);
    return () => clearInterval(timer);
  }, [id]);
  const campaign = read.data?.campaign ?? null;
  if (read.data && !campaign?.forecast && !campaign?.forecasts.length) return null;
  return html`<${Card} forecast=${campaign?.forecast ?? null} read=${read} over=${campaign?.completedAt != null}
    >${campaign && campaign.forecasts.length > 0 && html`<${AgainstActual} campaign=${campaign} />`}<//
  >`;
}

/**
 * @param {{
 *   forecast: Forecast | null,
 *   read: { error: Error | null, reload: () => void, data: object | null },
 *   over?: boolean,
 *   children?: any,
 * }} props
 */
const Card = ({ forecast, read, over = false, children }) =>
  html`<section class="panel stack" aria-labelledby="forecast" aria-live="polite">
    <header><h2 id="forecast">${over ? "Forecast and result" : "Forecast"}</h2></header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!read.data && !read.error && html`<${Skeleton} rows=${4} />`}
    ${forecast && html`<${Shown} forecast=${forecast} />`} ${children}
  </section>`;

/** @param {{ forecast: Forecast }} props */
const Shown = ({ forecast }) =>
  html`<${Finish} at=${forecast.finishesAt} />
    <table class="table">
      <thead>
        <tr>
          <th>In total</th>
          <th class="num">Likely</th>
          <th class="num">Four times in five</th>
        </tr>
      </thead>
      <tbody>
        <${Row} title="Calls" of=${forecast.calls} /><${Row} title="Answered" of=${forecast.answered} /><${Row}
          title="By a person"
          of=${forecast.human}
        /><${Row} title="Goal reached" of=${forecast.goals} /><${Row} title="Spend" of=${forecast.spend} as=${money} />
      </tbody>
    </table>
    <${Limits} forecast=${forecast} />
    <p class="hint">${basis(forecast)}</p>`;

/** @param {{ at: { p10: string | null, p50: string | null, p90: string | null } }} props */
const Finish = ({ at }) =>
  at.p50
    ? html`<p>Likely finished <b>${dayAndTime(at.p50)}</b>; ${`four times in five between ${range(at)}.`}</p>`
    : html`<p><b>Probably not finished</b>: contacts remain that are not called.</p>`;

/** @param {{ p10: string | null, p90: string | null }} at */
const range = ({ p10, p90 }) => `${p10 ? dayAndTime(p10) : "now"} and ${p90 ? dayAndTime(p90) : "never"}`;

/** @param {{ title: string, of: Interval, as?: (value: number) => string }} props */
const Row = ({ title, of, as = (value) => count(Math.round(value)) }) =>
  html`<tr>
    <th scope="row">${title}</th>
    <td class="num">${as(of.p50)}</td>
    <td class="num">${as(of.p10)} to ${as(of.p90)}</td>
  </tr>`;

/** What limits the pace, who is never called, and what would help. @param {{ forecast: Forecast }} props */
const Limits = ({ forecast }) =>
  html`<ul class="reasons">
    ${forecast.boundBy
      .filter((one) => one.share >= 0.01)
      .map(
        (one) =>
          html`<li key=${one.code}>
            <b>${Math.round(one.share * 100)} %</b><span>of the time: ${waitingWords(one.code)}</span>
          </li>`,
      )}
    ${forecast.never.map(
      (one) =>
        html`<li key=${one.reason}>
          <b>${count(one.contacts)}</b><span>never called: ${neverWords(one.reason)}</span>
        </li>`,
    )}
    ${forecast.advice.map((text) => html`<li key=${text}><b>If</b><span>${text}</span></li>`)}
  </ul>`;

/** @param {Forecast} forecast */
const basis = (forecast) =>
  `Based on ${counted(forecast.attemptsSeen, "finished call")}. ` +
  (forecast.coverage == null
    ? "Not calibrated yet: that takes 20 finished campaigns."
    : `${Math.round(forecast.coverage * 100)} % of past campaigns ended inside this interval.`);

/** The first forecast as a band, and the calls that were made. @param {{ campaign: Campaign }} props */
function AgainstActual({ campaign }) {
  const first = campaign.forecasts[0];
  if (!first) return null;
  const start = Date.parse(first.madeAt);
  const expected = summed(first.hours.map((one) => ({ at: Date.parse(one.from) + 3_600_000, more: one.calls })));
  const actual = summed(campaign.activity.map((one) => ({ at: Date.parse(one.from) + 300_000, more: one.placed })));
  const total = Math.max(expected.at(-1)?.sum ?? 0, 1);
  const end = Math.max(start + 600_000, expected.at(-1)?.at ?? 0, actual.at(-1)?.at ?? 0);
  const top = Math.max(first.calls.p90, actual.at(-1)?.sum ?? 0, 1);
  /** @param {number} at */
  const x = (at) => (WIDE * Math.max(at - start, 0)) / (end - start);
  /** @param {number} calls */
  const y = (calls) => HIGH - (calls / top) * (HIGH - 6);
  /** @param {number} scale */
  const edge = (scale) =>
    [{ at: start, sum: 0 }, ...expected].map((one) => `${x(one.at)},${y((one.sum / total) * scale)}`);
  const line = [{ at: start, sum: 0 }, ...actual].map((one) => `${x(one.at)},${y(one.sum)}`).join(" ");
  const made = actual.at(-1)?.sum ?? 0;
  const summary =
    `Calls over time: the forecast of ${dayAndTime(first.madeAt)} expects ${count(Math.round(first.calls.p10))} to ` +
    `${counted(Math.round(first.calls.p90), "call")}; ${counted(made, "was", "were")} made.`;
  return html`<figure>
    <svg class="chart" viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label=${summary}>
      <polygon
        class="forecast-band"
        points=${[...edge(first.calls.p10), ...edge(first.calls.p90).reverse()].join(" ")}
      />
      <polyline class="forecast-median" points=${edge(first.calls.p50).join(" ")} />
      <polyline class="forecast-actual" points=${line} />
      <line class="axis" x1="0" x2=${WIDE} y1=${HIGH} y2=${HIGH} />
    </svg>
    <div class="chart-words">
      <span>${dayAndTime(first.madeAt)}</span><span>calls: forecast as a band, made as a line</span
      ><span>${dayAndTime(new Date(end).toISOString())}</span>
    </div>
  </figure>`;
}

/** @param {{ at: number, more: number }[]} steps */
function summed(steps) {
  let sum = 0;
  return steps.map(({ at, more }) => ({ at, sum: (sum += more) }));
}
