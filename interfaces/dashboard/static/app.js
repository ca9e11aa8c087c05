// @ts-check
import { html, render, signal, useEffect, useRef } from "./lib.js";
import { AlertsBell } from "./alerts_bell.js";
import { connect, epoch, link, may, me, post, Refused, renew, staleSince } from "./api.js";
import { forgetDraft } from "./draft.js";
import { timeOfDay, words } from "./format.js";
import { forgetFiles } from "./kept_files.js";
import { forgetRehearsals } from "./kept_rehearsals.js";
import { moveRow, useKeys } from "./keys.js";
import { go, here, match, startRouting } from "./route.js";
import { recognise } from "./session.js";
import { SystemBanner } from "./system_banner.js";
import { Action, Dialog, Empty, Head, Icon, Skeleton, Toasts, toast } from "./ui.js";

/**
 * @typedef {{
 *   title: string,
 *   href: string,
 *   icon: import("./ui.js").IconName,
 *   key: string,
 *   allowed: () => boolean,
 * }} Place
 */
const always = () => true;
/** @type {Place[]} */
const PLACES = [
  { title: "Campaigns", href: "/", icon: "campaigns", key: "c", allowed: always },
  { title: "Assistants", href: "/assistants", icon: "assistants", key: "a", allowed: always },
  { title: "Do not call", href: "/do-not-call", icon: "blocked", key: "d", allowed: always },
  { title: "Calling rules", href: "/rules", icon: "rules", key: "r", allowed: always },
  { title: "Spend and alerts", href: "/spend", icon: "spend", key: "s", allowed: always },
  { title: "Forecasts", href: "/forecasts", icon: "forecast", key: "f", allowed: always },
  { title: "Health and lines", href: "/health", icon: "health", key: "h", allowed: always },
  { title: "Members", href: "/members", icon: "members", key: "m", allowed: may.admin },
  { title: "Webhooks", href: "/webhooks", icon: "webhooks", key: "w", allowed: may.admin },
  { title: "API tokens", href: "/tokens", icon: "key", key: "k", allowed: always },
  { title: "Settings", href: "/settings", icon: "settings", key: "e", allowed: always },
  { title: "Audit", href: "/audit", icon: "audit", key: "l", allowed: may.audit },
];

// One function for both addresses: the page stays as it is while the drawer opens and closes.
const loadCampaign = () => import("./views/campaign/campaign.js");
/** @type {[string, () => Promise<{ default: any }>][]} */
const VIEWS = [
  ["/", () => import("./views/campaigns.js")],
  ["/campaigns", () => import("./views/campaigns.js")],
  ["/campaigns/new", () => import("./views/new_campaign/new_campaign.js")],
  ["/rehearsals/:id", () => import("./views/rehearsal.js")],
  ["/campaigns/:id", loadCampaign],
  ["/campaigns/:id/history", () => import("./views/history.js")],
  ["/campaigns/:id/contacts/:contact", loadCampaign],
  ["/assistants", () => import("./views/assistants/assistants.js")],
  ["/do-not-call", () => import("./views/do_not_call/do_not_call.js")],
  ["/rules", () => import("./views/calling_rules.js")],
  ["/spend", () => import("./views/spend.js")],
  ["/forecasts", () => import("./views/calibration.js")],
  ["/health", () => import("./views/health.js")],
  ["/members", () => import("./views/access/members.js")],
  ["/webhooks", () => import("./views/webhooks.js")],
  ["/tokens", () => import("./views/access/tokens.js")],
  ["/settings", () => import("./views/settings.js")],
  ["/audit", () => import("./views/audit.js")],
  ["/sign-in", () => import("./views/access/sign_in.js")],
];

/** The part of an address that opens a drawer on the page, which remains the same page. */
const DRAWER = "/contacts/:contact";

const loaded = signal(/** @type {{ load: Function, View: any } | null} */ (null));
/** The function whose view could not be loaded. @type {import("@preact/signals").Signal<Function | null>} */
const failed = signal(null);
const sheet = signal(false);
const menu = signal(false);

const found = () => {
  for (const [pattern, load] of VIEWS) {
    const params = match(pattern, here.value.pathname);
    if (params) return { load, params, pattern: pattern.replace(DRAWER, "") };
  }
  return null;
};

/** @param {Function} load */
async function bring(load) {
  failed.value = null;
  try {
    const module = await load();
    // Meanwhile the address may have changed, and the view for it may be shown already.
    if (found()?.load === load) loaded.value = { load, View: module.default };
  } catch {
    // After an upgrade the server has other modules; otherwise it cannot be reached.
    const reached = await fetch("/", { method: "HEAD" }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (reached) renew();
    failed.value = load;
  }
}

/** A browser does not request a module again that could not be loaded: the page is reloaded. */
const Unloaded = () =>
  html`<${Head} title="This page could not be loaded" /><${Empty} icon="warning" title="AutoLynx cannot be reached"
      ><p>The page is shown once the connection is back. Pages that were open before can still be read.</p>
      <button type="button" onClick=${() => location.reload()}>Try again</button><//
    >`;

function Outlet() {
  const place = found();
  const load = place?.load;
  const page = `${place?.pattern ?? here.value.pathname} ${place?.params.id ?? ""}`;
  const first = useRef(true);
  useEffect(() => {
    menu.value = false;
    if (load) bring(load);
  }, [load]);
  useEffect(() => {
    if (!first.current && loaded.value && !document.querySelector("dialog[open]"))
      document.querySelector("h1")?.focus();
    first.current = !loaded.value;
  }, [page, loaded.value]);
  if (!place) return html`<${Missing} />`;
  if (failed.value === load) return html`<${Unloaded} />`;
  if (loaded.value?.load !== load) return html`<${Skeleton} rows=${6} />`;
  const { View } = /** @type {{ View: any }} */ (loaded.value);
  return html`<${View} key=${place.params.id ?? ""} ...${place.params} />`;
}

const Missing = () =>
  html`<div class="empty">
    <h1 tabindex="-1">There is no such page</h1>
    <p>The address may be cut or old.</p>
    <a class="button" href="/">Go to the campaigns</a>
  </div>`;

function Pill() {
  const state = link.value;
  const text =
    state === "live"
      ? "Live"
      : staleSince.value
        ? `Reconnecting · stale since ${timeOfDay(staleSince.value)}`
        : "Connecting";
  return html`<span class="pill" data-link=${state} role="status"><i></i>${text}</span>`;
}

function setTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    toast("This browser keeps no settings: the theme lasts until the page is closed.");
  }
}

async function signOut() {
  const answer = await post("/sign-out", {});
  if (!answer.ok)
    throw new Refused("INTERNAL", "Signing out did not work; close the browser to be safe, or try again.");
  forgetDraft();
  // A browser without storage has kept none.
  await Promise.allSettled([forgetFiles(), forgetRehearsals()]);
  me.value = null;
  location.assign("/sign-in");
}

/** @param {{ place: Place }} props */
function NavLink({ place }) {
  const path = here.value.pathname;
  const on = place.href === "/" ? path === "/" || path.startsWith("/campaigns") : path.startsWith(place.href);
  return html`<a href=${place.href} aria-current=${on ? "page" : null} title=${`${place.title} (g ${place.key})`}
    ><${Icon} name=${place.icon} /><span>${place.title}</span></a
  >`;
}

function Shell() {
  const who = /** @type {NonNullable<typeof me.value>} */ (me.value);
  const places = PLACES.filter((place) => place.allowed());
  useEffect(() => void connect(), []);
  useKeys({
    "?": () => (sheet.value = true),
    "/": () => /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"))?.focus(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    ...(may.operate() && { n: () => go("/campaigns/new") }),
    ...Object.fromEntries(places.map((place) => [`g ${place.key}`, () => go(place.href)])),
  });
  return html`<a class="skip" href="#main">Skip to the content</a>
    <div class="shell" data-menu=${menu.value ? "" : null}>
      <nav class="side" aria-label="Main">
        <a class="brand" href="/"><${Logo} />AutoLynx</a>
        ${places.map((place) => html`<${NavLink} key=${place.href} place=${place} />`)}
        <div class="who">
          <div class="who-words"><b title=${who.email}>${who.email}</b><span>${words(who.role)}</span></div>
          <${Action} kind="ghost" icon="out" hint="Sign out" onPress=${signOut}><span class="sr">Sign out</span><//>
        </div>
      </nav>
      <div class="page">
        <header class="top">
          <button
            type="button"
            class="ghost menu"
            aria-label="Menu"
            aria-expanded=${menu.value}
            onClick=${() => (menu.value = !menu.value)}
          >
            <${Icon} name="menu" />
          </button>
          <a class="brand only-narrow" href="/"><${Logo} />AutoLynx</a>
          <span class="push"></span>
          <${Pill} />
          <${AlertsBell} />
          <button
            type="button"
            class="ghost"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick=${() => (sheet.value = true)}
          >
            <${Icon} name="keyboard" />
          </button>
          <button
            type="button"
            class="ghost"
            aria-label="Switch between dark and light"
            title="Switch between dark and light"
            onClick=${setTheme}
          >
            <${Icon} name=${"sun"} />
          </button>
        </header>
        <main id="main" tabindex="-1" data-stale=${link.value === "offline" && staleSince.value ? "" : null}>
          <${SystemBanner} />
          <${Outlet} />
        </main>
      </div>
    </div>
    ${sheet.value && html`<${Sheet} places=${places} />`}`;
}

const Logo = () =>
  html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M7 25 9 7l6 6h2l6-6 2 18" />
    <circle cx="12.5" cy="18" r="1.7" />
    <circle cx="19.5" cy="18" r="1.7" />
  </svg>`;

/** @param {{ places: Place[] }} props */
const Sheet = ({ places }) =>
  html`<${Dialog} title="Keyboard shortcuts" onClose=${() => (sheet.value = false)}>
    <dl class="keys">
      ${places.map(
        (place) =>
          html`<div key=${place.key}>
            <dt><kbd>g</kbd> <kbd>${place.key}</kbd></dt>
            <dd>${place.title}</dd>
          </div>`,
      )}
      ${
        may.operate() &&
        html`<div>
            <dt><kbd>n</kbd></dt>
            <dd>New campaign</dd>
          </div>
          <div>
            <dt><kbd>p</kbd></dt>
            <dd>Start, pause or resume the campaign shown</dd>
          </div>`
      }
      <div>
        <dt><kbd>e</kbd></dt>
        <dd>Export the campaign shown</dd>
      </div>
      <div>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt>
        <dd>Next and previous row</dd>
      </div>
      <div>
        <dt><kbd>Enter</kbd></dt>
        <dd>Open the row</dd>
      </div>
      <div>
        <dt><kbd>/</kbd></dt>
        <dd>Search</dd>
      </div>
      <div>
        <dt><kbd>f</kbd></dt>
        <dd>Freeze or follow the audit tail</dd>
      </div>
      <div>
        <dt><kbd>Esc</kbd></dt>
        <dd>Close what is open</dd>
      </div>
      <div>
        <dt><kbd>?</kbd></dt>
        <dd>This sheet</dd>
      </div>
    </dl>
  <//>`;

function App() {
  if (here.value.pathname === "/sign-in") return html`<${Outlet} /><${Toasts} />`;
  if (me.value === undefined)
    return html`<main class="boot">Loading…</main>
      <${Toasts} />`;
  if (me.value === null) return html`<${ToSignIn} />`;
  return html`<${Shell} /><${Toasts} />`;
}

function ToSignIn() {
  useEffect(() => {
    const from = here.value.pathname + here.value.search;
    go(from === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(from)}`, { replace: true });
  }, []);
  return null;
}

startRouting();
epoch.subscribe((n) => void (n && recognise()));
epoch.subscribe((n) => void (n && failed.peek() && location.reload()));
if (here.value.pathname !== "/sign-in") recognise();
const root = /** @type {Element} */ (document.getElementById("app"));
root.replaceChildren(); // Remove the loading message.
render(html`<${App} />`, root);
