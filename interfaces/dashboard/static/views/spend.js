// @ts-check
import { html } from "../lib.js";
import { useQuery, useSubscription, useThrottled } from "../api.js";
import { money } from "../format.js";
import { CampaignsProgress, Spend } from "../ops.js";
import { Empty, Head, Skeleton, SpendMeter, Time, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").SpendData["spend"]} Summary */

export default function SpendView() {
  const read = useQuery(Spend, {});
  const again = useThrottled(read.reload, 3000);
  useSubscription(CampaignsProgress, {}, again);
  const spend = read.data?.spend;
  return html`<${Head} title="Spend and alerts" lead="What calls cost, as the provider reports it. Days are UTC." />
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!spend && !read.error && html`<${Skeleton} />`}
    ${
      spend &&
      html`<div class="stack">
        <section class="panel stack">
          <h2>Today</h2>
          <${SpendMeter} label="All campaigns" spend=${spend.today} budget=${spend.dailyBudget} />
          <p class="hint">
            ${
              spend.dailyBudget == null
                ? html`No daily budget is set. <a href="/settings">Settings</a> has it.`
                : "When it is spent, campaigns wait until the next UTC day."
            }
          </p>
        </section>
        <div class="halves">
          <${Campaigns} campaigns=${spend.campaigns} /><${Alerts}
            alerts=${spend.alerts}
            names=${new Map(spend.campaigns.map((one) => [one.campaignId, one.name]))}
          />
        </div>
      </div>`
    }`;
}

/** @param {{ campaigns: Summary["campaigns"] }} props */
const Campaigns = ({ campaigns }) =>
  html`<section class="panel flush">
    <header><h2>By campaign</h2></header>
    ${
      !campaigns.length
        ? html`<${Empty} icon="spend" title="Nothing spent yet" />`
        : html`<table class="table">
            <thead>
              <tr>
                <th>Campaign</th>
                <th>Spend and budget</th>
              </tr>
            </thead>
            <tbody>
              ${campaigns.map(
                (one) =>
                  html`<tr key=${one.campaignId}>
                    <td class="main"><a data-row href=${`/campaigns/${one.campaignId}`}>${one.name}</a></td>
                    <td style=${{ width: "50%" }}><${SpendMeter} spend=${one.spend} budget=${one.budget} /></td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </section>`;

/** @param {{ alerts: Summary["alerts"], names: Map<string, string> }} props */
const Alerts = ({ alerts, names }) =>
  html`<section class="panel flush">
    <header><h2>Alerts</h2></header>
    ${
      !alerts.length
        ? html`<${Empty} icon="check" title="No alert"
            ><p>One is raised at the threshold and at the limit of a budget.</p><//
          >`
        : html`<table class="table">
            <thead>
              <tr>
                <th>What</th>
                <th class="num">Spent</th>
                <th>When</th>
              </tr>
            </thead>
            <tbody>
              ${alerts.map(
                (one, i) =>
                  html`<tr key=${i}>
                    <td class="main">
                      ${one.message}${
                        one.campaignId &&
                        html`<span
                          ><a href=${`/campaigns/${one.campaignId}`}
                            >${names.get(one.campaignId) ?? "The campaign"}</a
                          ></span
                        >`
                      }
                    </td>
                    <td class="num">${money(one.spend)} of ${money(one.budget)}</td>
                    <td><${Time} at=${one.raisedAt} /></td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </section>`;
