// @ts-check
import { useEffect, useRef } from "./lib.js";

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Bindings */
/** @type {Set<{ current: Bindings }>} */
const layers = new Set();
let lead = "";
let leadTimer = 0;

/** @param {EventTarget | null} target */
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const dialog = document.querySelector("dialog[open]");
  const name = lead ? `${lead} ${event.key}` : event.key;
  lead = "";
  clearTimeout(leadTimer);
  for (const layer of [...layers].reverse()) {
    const act = layer.current[name];
    if (act && (!dialog || name.startsWith("dialog "))) {
      event.preventDefault();
      return act(event);
    }
  }
  if (!dialog && event.key === "g") {
    lead = "g";
    leadTimer = window.setTimeout(() => (lead = ""), 1200);
  }
}

document.addEventListener("keydown", pressed);

/** Binds keys while the component is shown; "g c" means two keystrokes. @param {Bindings} bindings */
export function useKeys(bindings) {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    layers.add(latest);
    return () => void layers.delete(latest);
  }, []);
}

/** Moves the focus between the links that are marked as rows. @param {number} step */
export function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(/** @type {Element} */ (document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  if (next instanceof HTMLElement) next.focus();
}
