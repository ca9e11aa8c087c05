// @ts-check
import { html } from "../lib.js";
import { useQuery } from "../api.js";
import { count, words } from "../format.js";
import { Calibrations } from "../ops.js";
import { Head, Skeleton, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").CalibrationsData["calibration"][number]} Row */

const OCCASIONS = [
  { occasion: "LAUNCH", title: "At the start of the campaign" },
  { occasion: "HALF_TIME", title: "At half time" },
];

export default function CalibrationView() {
  const read = useQuery(Calibrations, {});
  const rows = read.data?.calibration;
  return html`<${Head}
      title="Forecasts"
      lead="How well the forecasts of finished campaigns held. Of ten results, eight should lie in the interval."
    />
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!rows && !read.error && html`<${Skeleton} />`}
    <div class="stack">
      ${
        rows &&
        OCCASIONS.map(
          ({ occasion, title }) =>
            html`<${Table} key=${occasion} title=${title} rows=${rows.filter((one) => one.occasion === occasion)} />`,
        )
      }
    </div>`;
}

/** @param {{ title: string, rows: Row[] }} props */
const Table = ({ title, rows }) =>
  html`<section class="panel flush">
    <header><h2>${title}</h2></header>
    <table class="table">
      <thead>
        <tr>
          <th>Forecast of</th>
          <th class="num">Campaigns</th>
          <th class="num">Inside the interval</th>
          <th class="num">Against a naive forecast</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (one) =>
            html`<tr key=${one.quantity}>
              <th scope="row">${words(one.quantity)}</th>
              <td class="num">${count(one.campaigns)}</td>
              <td class="num">
                ${one.coverage == null ? "not calibrated yet" : `${Math.round(one.coverage * 100)} %`}
              </td>
              <td class="num">${against(one)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;

/** How much smaller the mean error (CRPS) is than that of a naive forecast. @param {Row} row */
function against({ crps, naiveCrps }) {
  if (crps == null || !naiveCrps) return "–";
  const better = Math.round((1 - crps / naiveCrps) * 100);
  return better >= 0 ? `${better} % less error` : `${-better} % more error`;
}
