// @ts-check
import { html, useEffect } from "../../lib.js";
import { useQuery, useThrottled } from "../../api.js";
import { count } from "../../format.js";
import { CampaignArms } from "../../ops.js";

/** @typedef {NonNullable<import("../../ops.js").CampaignArmsData["campaign"]>["arms"][number]} Arm */

/** A difference of rates in percentage points. @param {number} rate */
export const points = (rate) => (100 * rate).toFixed(1);

/** @param {number} rate */
const signed = (rate) => `${rate < 0 ? "−" : "+"}${points(Math.abs(rate))}`;

/** The assistants that a campaign compares; nothing without. @param {import("./campaign.js").Part} props */
export function ArmsPanel({ campaign, now }) {
  const read = useQuery(CampaignArms, { id: campaign.id });
  const again = useThrottled(read.reload, 5000);
  const { position } = now();
  useEffect(() => {
    if (read.data) again();
  }, [position]);
  const arms = read.data?.campaign?.arms ?? [];
  if (!arms.length) return null;
  return html`<section class="panel stack" aria-labelledby="arms">
    <header><h2 id="arms">Compared assistants</h2></header>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Assistant</th>
            <th scope="col" class="num">Share</th>
            <th scope="col" class="num">Contacts</th>
            <th scope="col" class="num">Calls</th>
            <th scope="col" class="num">Answered</th>
            <th scope="col" class="num">A person</th>
            <th scope="col" class="num">Goals</th>
            <th scope="col">Against the first</th>
          </tr>
        </thead>
        <tbody>
          ${arms.map((arm, at) => html`<${Row} key=${arm.assistant.id} arm=${arm} first=${at === 0} />`)}
        </tbody>
      </table>
    </div>
    <p class="hint">
      Intervals hold however often you look. Contacts count once they are finished, since a goal can come with any call.
    </p>
  </section>`;
}

/** @param {{ arm: Arm, first: boolean }} props */
const Row = ({ arm, first }) =>
  html`<tr>
    <th scope="row">${arm.assistant.name}</th>
    <td class="num">${arm.share} %</td>
    <td class="num">${count(arm.contacts)}</td>
    <td class="num">${count(arm.calls)}</td>
    <td class="num">${count(arm.answered)}</td>
    <td class="num">${count(arm.human)}</td>
    <td class="num">
      ${count(arm.goals)} of ${count(arm.finished)}${arm.finished ? ` (${points(arm.goals / arm.finished)} %)` : ""}
    </td>
    <td>${first ? "–" : verdict(arm)}</td>
  </tr>`;

/** @param {Arm} arm */
function verdict(arm) {
  const { low, high, pValue } = arm;
  if (low == null || high == null) return "No finished contacts yet";
  const between = `${signed(low)} to ${signed(high)} points`;
  const different = low > 0 || high < 0;
  const said = different ? (low > 0 ? "better" : "worse") : "no difference shown yet";
  const rise = arm.smallestDifference;
  const shows = rise == null ? "; this list cannot show one" : `; this list can show ${points(rise)} points`;
  return `${said}: ${between}, p ${pValue == null ? "–" : pValue.toFixed(3)}${different ? "" : shows}`;
}
