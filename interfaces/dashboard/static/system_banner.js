// @ts-check
import { html, useState } from "./lib.js";
import { link, staleSince, useQuery, useSubscription } from "./api.js";
import { second } from "./clock.js";
import { timeOfDay, words } from "./format.js";
import { Health, HealthUpdates } from "./ops.js";
import { Icon } from "./ui.js";

/** @typedef {import("./ops.js").HealthData["health"]} SystemHealth */

/** Components whose faults stop calls or delay the displayed data. */
const ESSENTIAL = new Set(["database", "projector", "scheduler", "dialling", "calling rules"]);
/** Milliseconds without a connection after which the banner is shown; a restart of the server takes less. */
const PATIENCE = 5_000;

/**
 * Whether a fault stops calls or delays the displayed data. A provider that answers slowly does neither.
 * @param {SystemHealth["components"][number]} component
 */
const isSerious = ({ name, status }) =>
  ESSENTIAL.has(name) ? status !== "OK" : name === "provider" && status === "DOWN";

/** Shows on every page the faults that stop AutoLynx, and how to fix them. */
export function SystemBanner() {
  const read = useQuery(Health, {});
  const [pushed, setPushed] = useState(/** @type {SystemHealth | null} */ (null));
  useSubscription(HealthUpdates, {}, ({ health }) => setPushed(health));
  const health = pushed ?? read.data?.health;
  const troubles = health?.components.filter(isSerious) ?? [];
  return html`<${Disconnected} /> ${troubles.map(
      (one) =>
        html`<div key=${one.name} class="banner" data-kind="bad" role="alert">
          <${Icon} name="warning" />
          <p><b>${words(one.name)}:</b> ${one.detail ?? words(one.status)} <a href="/health">Health</a></p>
        </div>`,
    )}`;
}

function Disconnected() {
  const since = staleSince.value;
  if (link.value !== "offline" || !since || second.value - since.getTime() < PATIENCE) return null;
  return html`<div class="banner" data-kind="bad" role="alert">
    <${Icon} name="warning" />
    <p>
      <b>AutoLynx has not answered since ${timeOfDay(since)}.</b> This page shows what was read before. What you enter
      stays here; save it once the connection is back. The page reconnects by itself.
    </p>
  </div>`;
}
