// @ts-check
import { signal, useEffect, useRef } from "./lib.js";

/** The current address; the only source of path and query for views. */
export const here = signal(new URL(location.href));

/** @param {string} to @param {{ replace?: boolean }} [how] */
export function go(to, { replace = false } = {}) {
  const url = new URL(to, here.value);
  if (url.href === here.value.href) return;
  if (url.pathname !== here.value.pathname && !mayLeave()) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  here.value = url;
}

const UNSAVED = "The changes on this page are not saved. Leave it anyway?";
/** Whether each form that is shown has changes that are not saved. @type {Set<{ current: boolean }>} */
const forms = new Set();

/** Whether nothing is unsaved, or the member leaves the changes. */
const mayLeave = () => ![...forms].some((form) => form.current) || confirm(UNSAVED);

/** Warns before the page is left while `changed`. @param {boolean} changed */
export function useUnsaved(changed) {
  const latest = useRef(changed);
  latest.current = changed;
  useEffect(() => {
    /** @param {BeforeUnloadEvent} event */
    const warn = (event) => latest.current && event.preventDefault();
    forms.add(latest);
    addEventListener("beforeunload", warn);
    return () => {
      forms.delete(latest);
      removeEventListener("beforeunload", warn);
    };
  }, []);
}

/**
 * Sets or removes parameters of the query without a new history entry.
 * @param {Record<string, string | null | undefined>} changes
 * @param {{ replace?: boolean }} [how]
 */
export function setQuery(changes, how = { replace: true }) {
  const url = new URL(here.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  go(url.pathname + url.search, how);
}

/** @param {string} name */
export const query = (name) => here.value.searchParams.get(name) ?? "";

/**
 * Parameters of a path such as /campaigns/:id, or null.
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function match(pattern, path) {
  const want = pattern.split("/");
  const have = (path === "/" ? path : path.replace(/\/$/, "")).split("/");
  if (want.length !== have.length) return null;
  /** @type {Record<string, string>} */
  const found = {};
  for (const [i, part] of want.entries()) {
    const actual = have[i] ?? "";
    if (!part.startsWith(":")) {
      if (part !== actual) return null;
      continue;
    }
    try {
      found[part.slice(1)] = decodeURIComponent(actual);
    } catch {
      return null; // Not UTF-8: no page has this address.
    }
  }
  return found;
}

/** Follows the browser's back and forward buttons, unless the member stays with unsaved changes. */
function moved() {
  const url = new URL(location.href);
  if (url.pathname !== here.value.pathname && !mayLeave()) history.pushState(null, "", here.value);
  else here.value = url;
}

/** @param {MouseEvent} event */
function follow(event) {
  const anchor = event.target instanceof Element ? event.target.closest("a") : null;
  if (
    !anchor ||
    event.defaultPrevented ||
    event.button ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin || anchor.dataset.server)
    return;
  if (anchor.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(anchor.href);
}

export function startRouting() {
  addEventListener("popstate", moved);
  document.addEventListener("click", follow);
}
