// @ts-check
import { signal } from "./lib.js";

/** The current time, updated each second while the page is visible. */
export const second = signal(Date.now());
/** The current time, updated every 15 seconds: enough for "3 min ago". */
export const quarter = signal(Date.now());

function tick() {
  if (document.hidden) return;
  second.value = Date.now();
  if (second.value - quarter.value >= 15_000) quarter.value = second.value;
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
