// @ts-check
import { html, useState } from "./lib.js";
import { useQuery, useSubscription } from "./api.js";
import { words } from "./format.js";
import { Health, HealthUpdates } from "./ops.js";
import { Icon } from "./ui.js";

/** @typedef {import("./ops.js").HealthData["health"]} SystemHealth */

/** Components whose faults stop calls or delay the displayed data. */
const ESSENTIAL = new Set(["database", "projector", "scheduler", "dialling", "calling rules"]);

/** Shows on every page the faults that stop AutoLynx, and how to fix them. */
export function SystemBanner() {
  const read = useQuery(Health, {});
  const [pushed, setPushed] = useState(/** @type {SystemHealth | null} */ (null));
  useSubscription(HealthUpdates, {}, ({ health }) => setPushed(health));
  const health = pushed ?? read.data?.health;
  const troubles = health?.components.filter((one) => ESSENTIAL.has(one.name) && one.status !== "OK") ?? [];
  return troubles.map(
    (one) =>
      html`<div key=${one.name} class="banner" data-kind="bad" role="alert">
        <${Icon} name="warning" />
        <p><b>${words(one.name)}:</b> ${one.detail ?? words(one.status)} <a href="/health">Health</a></p>
      </div>`,
  );
}
