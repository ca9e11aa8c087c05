// @ts-check
import { html, useEffect, useState } from "../lib.js";
import { useQuery, useSubscription } from "../api.js";
import { words } from "../format.js";
import { Health, HealthUpdates, PhoneNumbers } from "../ops.js";
import { Empty, Head, Id, Skeleton, State, Time, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").HealthData["health"]} Now */

export default function HealthView() {
  const read = useQuery(Health, {});
  const [pushed, setPushed] = useState(/** @type {Now | null} */ (null));
  useSubscription(HealthUpdates, {}, ({ health }) => setPushed(health));
  const now = pushed ?? read.data?.health;
  return html`<${Head} title="Health and lines" lead=${now && html`<${State} value=${now.status} />`} />
    ${read.error && !now && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!now && !read.error && html`<${Skeleton} />`}
    <div class="halves">${now && html`<${System} now=${now} />`}<${Lines} /></div>`;
}

/** @param {{ now: Now }} props */
const System = ({ now }) =>
  html`<section class="panel">
    <header><h2>System</h2></header>
    <dl class="facts">
      ${now.components.map(
        (one) =>
          html`<dt key=${one.name}>${words(one.name)}${one.detail && html`<div class="hint">${one.detail}</div>`}</dt>
            <dd><${State} value=${one.status} /></dd>`,
      )}
      <dt>Lag of the displayed data</dt>
      <dd class="num">${now.projectionLagSeconds.toFixed(1)} s</dd>
      <dt>Scheduler's last heartbeat</dt>
      <dd><${Time} at=${now.lastTickAt} empty="never" /></dd>
    </dl>
  </section>`;

function Lines() {
  const read = useQuery(PhoneNumbers, {});
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && read.reload(), 5000);
    return () => clearInterval(timer);
  }, []);
  const lines = read.data?.phoneNumbers;
  return html`<section class="panel flush">
    <header>
      <h2>Lines</h2>
      <span class="hint">the provider's phone numbers</span>
    </header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      !lines
        ? !read.error && html`<div style=${{ padding: "0 20px" }}><${Skeleton} rows=${3} /></div>`
        : !lines.length
          ? html`<${Empty} icon="phone" title="No line"><p>The provider shows no phone number for this account.</p><//>`
          : html`<table class="table stacked">
              <thead>
                <tr>
                  <th>Number</th>
                  <th>Status</th>
                  <th class="num">Live now</th>
                  <th>Id</th>
                </tr>
              </thead>
              <tbody>
                ${lines.map(
                  (line) =>
                    html`<tr key=${line.id}>
                      <td class="main"><b class="num">${line.number ?? "–"}</b><span>${line.name}</span></td>
                      <td data-label="Status">${line.status ? words(line.status) : "–"}</td>
                      <td class="num" data-label="Live now">
                        ${line.activeCalls ?? html`<span title="The provider cannot be reached">?</span>`}
                      </td>
                      <td data-label="Id"><${Id} id=${line.id} label="Phone number id" /></td>
                    </tr>`,
                )}
              </tbody>
            </table>`
    }
  </section>`;
}
