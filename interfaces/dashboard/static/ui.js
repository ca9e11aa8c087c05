// @ts-check
import { html, signal, useComputed, useEffect, useId, useRef, useState } from "./lib.js";
import { quarter, second } from "./clock.js";
import { absolute, ago, count, counted, dayAndTime, duration, money, share, words } from "./format.js";

const ICONS = /** @type {const} */ ({
  campaigns: "M4 6h16M4 12h10M4 18h6M18 14v6l4-3z",
  assistants: "M12 3v3M6 8h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM9 13v1M15 13v1",
  spend: "M12 3v18M16 7.5c-.8-1-2.2-1.5-4-1.5-2.3 0-4 1-4 2.9 0 4 8.2 2 8.2 6.2 0 1.9-1.9 3-4.2 3-2 0-3.5-.6-4.3-1.8",
  forecast: "M3 17c4 0 5-9 9-9s5 6 9 6M3 21h18",
  health: "M3 12h4l3-7 4 14 3-7h4",
  members: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6 7-6s7 2 7 6M17 4a4 4 0 0 1 0 7M19 15c2 .8 3 3 3 6",
  key: "M8 20a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 13l8-8M16 8l3 3",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5v5M8 14.5v5",
  audit: "M12 7v5l3 2M3.5 9a9 9 0 1 1-.3 5M3 4v5h5",
  webhooks: "M4 12h11M11 8l4 4-4 4M16 4h4v16h-4",
  blocked: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.7 5.7l12.6 12.6",
  rules: "M12 4v16M7 20h10M5 7h14M5 7l-3 7h6zM19 7l-3 7h6z",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  plus: "M12 5v14M5 12h14",
  play: "M7 5l12 7-12 7z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12H6z",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  upload: "M12 16V5M7 9l5-5 5 5M4 20h16",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
  close: "M6 6l12 12M18 6L6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  sun:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2" +
    "M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M6.5 17.5L5 19",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  out: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  phone: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  warning: "M12 4L2.5 20h19zM12 10v4M12 17v.01",
  check: "M5 12l5 5 9-10",
  next: "M9 6l6 6-6 6",
  back: "M15 6l-6 6 6 6",
});

/** @typedef {keyof typeof ICONS} IconName */

/** @param {{ name: IconName }} props */
export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;

/**
 * A time relative to now. Only a planned time may be in the future: a past one that is later than the clock of this
 * browser is shown as "just now".
 * @param {{ at: string | null | undefined, empty?: string, planned?: boolean }} props
 */
export function Time({ at, empty = "–", planned = false }) {
  if (!at) return html`<span class="quiet">${empty}</span>`;
  const now = planned ? quarter.value : Math.max(quarter.value, Date.parse(at));
  return html`<time datetime=${at} title=${absolute(at)}>${ago(at, now)}</time>`;
}

/** A planned time on the clock of the viewer, and how long until then. @param {{ at: string }} props */
export const Moment = ({ at }) => html`<span class="num">${dayAndTime(at)} (<${Time} at=${at} planned />)</span>`;

/** How long since, running. @param {{ since: string, until?: string | null }} props */
export function Timer({ since, until }) {
  const text = useComputed(() => duration(((until ? Date.parse(until) : second.value) - Date.parse(since)) / 1000));
  return html`<span class="num">${text}</span>`;
}

/** A state as dot and word. @param {{ value: string }} props */
export const State = ({ value }) => html`<span class="state" data-state=${value}><i></i>${words(value)}</span>`;

export const OUTCOMES = /** @type {const} */ ([
  ["ended", "ENDED", "Ended"],
  ["inProgress", "IN_PROGRESS", "In progress"],
  ["ringing", "RINGING", "Ringing"],
  ["queued", "QUEUED", "Queued"],
  ["failed", "FAILED", "Failed"],
  ["timedOut", "TIMEOUT", "Timed out"],
  ["canceled", "CANCELED", "Canceled"],
  ["pending", "PENDING", "Pending"],
]);

/**
 * @typedef {{
 *   contacts: number,
 *   pending: number,
 *   active: number,
 *   queued: number,
 *   ringing: number,
 *   inProgress: number,
 *   ended: number,
 *   failed: number,
 *   canceled: number,
 *   timedOut: number,
 * }} Counters
 */

/** @param {Counters} p */
const spoken = (p) =>
  OUTCOMES.filter(([key]) => p[key])
    .map(([key, , label]) => `${count(p[key])} ${label.toLowerCase()}`)
    .join(", ");

/** The contacts by outcome, as one bar. @param {{ progress: Counters }} props */
export function OutcomeBar({ progress }) {
  const all = progress.contacts || 1;
  return html`<div
    class="bar"
    role="img"
    aria-label=${`${counted(progress.contacts, "contact")}: ${spoken(progress) || "none"}`}
  >
    ${OUTCOMES.map(
      ([key, state, label]) =>
        progress[key] > 0 &&
        html`<i
          key=${key}
          data-state=${state}
          title=${`${label}: ${count(progress[key])}`}
          style=${{ flexGrow: progress[key] / all }}
        ></i>`,
    )}
  </div>`;
}

/**
 * How much of a limit is used, or how much of a whole is done.
 * @param {{ label: string, value: number, max: number | null, text: string, isProgress?: boolean }} props `isProgress`:
 *   whether reaching the maximum is good
 */
export function Meter({ label, value, max, text, isProgress = false }) {
  const part = max ? Math.min(1, value / max) : 0;
  const isLimit = max && !isProgress;
  const level = isLimit && value / max >= 1 ? "full" : isLimit && value / max >= 0.8 ? "high" : "fine";
  return html`<div class="meter">
    <span class="meter-text"><span>${label}</span><b class="num">${text}</b></span>
    ${
      max != null &&
      html`<div
        role="meter"
        aria-label=${label}
        aria-valuemin="0"
        aria-valuemax=${max}
        aria-valuenow=${Math.min(value, max)}
        aria-valuetext=${text}
        data-level=${level}
      >
        <i style=${{ width: `${100 * part}%` }}></i>
      </div>`
    }
  </div>`;
}

/** @param {{ spend: string, budget: string | null, label?: string }} props */
export const SpendMeter = ({ spend, budget, label = "Spend" }) =>
  html`<${Meter}
    label=${label}
    value=${Number(spend)}
    max=${budget == null ? null : Number(budget)}
    text=${budget == null ? `${money(spend)}, no limit` : `${money(spend)} of ${money(budget)}`}
  />`;

/** @param {{ text: string, label?: string }} props */
export function Copy({ text, label = "Copy" }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${label}: copied.`);
    } catch {
      toast("This browser does not allow copying here: select the text and copy it by hand.", "bad");
    }
  };
  return html`<button
    type="button"
    class="ghost small"
    title=${`${label}: ${text}`}
    aria-label=${label}
    onClick=${copy}
  >
    <${Icon} name="copy" />
  </button>`;
}

/**
 * A text that is shown once, with a button that copies it; the children explain it.
 * @param {{ label: string, text: string, children?: any }} props
 */
export const Secret = ({ label, text, children }) =>
  html`<p>${children}</p>
    <p class="secret"><code>${text}</code><${Copy} text=${text} label=${label} /></p>`;

/** @param {{ id: string, label: string }} props */
export const Id = ({ id, label }) =>
  html`<span class="id"
    ><code title=${id}>${id.length > 13 ? `${id.slice(0, 8)}…` : id}</code><${Copy} text=${id} label=${label}
  /></span>`;

/** @typedef {{ id: number, text: string, kind: string }} Toast */
const toasts = signal(/** @type {Toast[]} */ ([]));
let toastId = 0;

/** @param {string} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const id = ++toastId;
  toasts.value = [...toasts.value.slice(-3), { id, text, kind }];
  setTimeout(() => dismiss(id), kind === "bad" ? 12_000 : 5_000);
}

/** @param {number} id */
const dismiss = (id) => (toasts.value = toasts.value.filter((one) => one.id !== id));

export const Toasts = () =>
  html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      (one) =>
        html`<div key=${one.id} class="toast" data-kind=${one.kind}>
          <${Icon} name=${one.kind === "bad" ? "warning" : "check"} /><span>${one.text}</span>
          <button type="button" class="ghost small" aria-label="Dismiss" onClick=${() => dismiss(one.id)}>
            <${Icon} name="close" />
          </button>
        </div>`,
    )}
  </div>`;

/**
 * A modal dialog; it is open while it is rendered.
 * @param {{ title: string, onClose: () => void, wide?: boolean, side?: boolean, children?: any }} props
 */
export function Dialog({ title, onClose, wide, side, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      element.current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  /** @param {MouseEvent} event */
  const outside = (event) => event.target === element.current && onClose();
  return html`<dialog
    ref=${element}
    class=${side ? "drawer" : wide ? "wide" : ""}
    aria-labelledby=${heading}
    onCancel=${cancel}
    onMouseDown=${outside}
  >
    <div class="dialog-body">
      <header>
        <h2 id=${heading}>${title}</h2>
        <button type="button" class="ghost" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * @param {{
 *   label: string,
 *   hint?: any,
 *   error?: string,
 *   children: (attributes: {
 *     id: string,
 *     "aria-describedby": string | undefined,
 *     "aria-invalid": boolean | undefined,
 *   }) => any,
 * }} props
 */
export function Field({ label, hint, error, children }) {
  const id = useId();
  const describedBy = error || hint ? `${id}-description` : undefined;
  return html`<div class="field" data-wrong=${error ? "" : null}>
    <label for=${id}>${label}</label>
    ${children({ id, "aria-describedby": describedBy, "aria-invalid": error ? true : undefined })}
    ${(error || hint) && html`<p id=${describedBy} class=${error ? "wrong" : "hint"}>${error || hint}</p>`}
  </div>`;
}

/** @param {{ icon: IconName, title: string, children?: any }} props */
export const Empty = ({ icon, title, children }) =>
  html`<div class="empty">
    <span class="empty-icon"><${Icon} name=${icon} /></span>
    <h2>${title}</h2>
    ${children}
  </div>`;

/** What could not be read, and a way to try again. @param {{ error: Error, again: () => void }} props */
export const Trouble = ({ error, again }) =>
  html`<div class="banner" data-kind="bad" role="alert">
    <${Icon} name="warning" />
    <p>${error.message}</p>
    <button type="button" onClick=${again}>Try again</button>
  </div>`;

/** @param {{ rows?: number }} props */
export const Skeleton = ({ rows = 5 }) =>
  html`<div class="skeleton" aria-busy="true">
    <span class="sr">Loading</span>${Array.from({ length: rows }, (_, i) => html`<i key=${i}></i>`)}
  </div>`;

/** @param {{ title: string, lead?: any, children?: any }} props */
export function Head({ title, lead, children }) {
  useEffect(() => {
    document.title = `${title} · AutoLynx`;
  }, [title]);
  return html`<div class="head">
    <div class="head-words">
      <h1 tabindex="-1">${title}</h1>
      ${lead && html`<div class="lead">${lead}</div>`}
    </div>
    <div class="actions">${children}</div>
  </div>`;
}

/**
 * A button that is busy until its action ends; refusals become toasts.
 * @param {{
 *   onPress: () => Promise<unknown>,
 *   icon?: IconName,
 *   kind?: string,
 *   disabled?: boolean,
 *   hint?: string,
 *   label?: string,
 *   type?: string,
 *   children?: any,
 * }} props
 */
export function Action({ onPress, icon, kind = "", disabled, hint, label, type = "button", children }) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    try {
      await onPress();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    } finally {
      setBusy(false);
    }
  };
  return html`<button
    type=${type}
    class=${kind}
    title=${hint}
    aria-label=${label}
    disabled=${disabled || busy}
    aria-busy=${busy}
    onClick=${press}
  >
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span>
  </button>`;
}

/**
 * Waits until typing rests, then hands the text on.
 * @param {{ value: string, label: string, onText: (text: string) => void, id?: string }} props
 */
export function Search({ value, label, onText, id }) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  useEffect(() => setText(value), [value]);
  /** @param {InputEvent & { currentTarget: HTMLInputElement }} event */
  const typed = (event) => {
    const typed = event.currentTarget.value;
    setText(typed);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onText(typed.trim()), 250);
  };
  return html`<label class="search"
    ><${Icon} name="search" /><span class="sr">${label}</span
    ><input id=${id} type="search" data-search placeholder=${label} value=${text} onInput=${typed}
  /></label>`;
}

/** @param {{ label: string, part: number, all: number }} props */
export const Share = ({ label, part, all }) => html`<span title=${label}>${share(part, all)}</span>`;
