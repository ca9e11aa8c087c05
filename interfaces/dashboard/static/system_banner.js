// @ts-check
import { html, useState } from "./lib.js";
import { useQuery, useSubscription } from "./api.js";
import { words } from "./format.js";
import { Health, HealthUpdates } from "./ops.js";
import { Icon } from "./ui.js";

/** @typedef {import("./ops.js").HealthData["health"]} SystemHealth */

/** Parts whose trouble keeps calls from being made, or what is shown from being current. */
const ESSENTIAL = new Set(["database", "projector", "scheduler", "dialling"]);

/** Shows on every page what keeps AutoLynx from working, and what to do about it. */
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
