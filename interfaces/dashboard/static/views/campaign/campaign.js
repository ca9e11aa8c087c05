// @ts-check
import { html, useEffect, useMemo, useRef, useSignal } from "../../lib.js";
import { may, request, useQuery, useSubscription, useThrottled } from "../../api.js";
import { quarter } from "../../clock.js";
import { count, counted, money, words } from "../../format.js";
import { useKeys } from "../../keys.js";
import { lazy } from "../../lazy.js";
import { CampaignPage, CampaignReasons, ContactUpdates, OneProgress } from "../../ops.js";
import { go, here, setQuery } from "../../route.js";
import { FINISHED, MAY_DIAL } from "../../states.js";
import {
  Empty,
  Head,
  Icon,
  Id,
  Moment,
  OutcomeBar,
  OUTCOMES,
  Skeleton,
  SpendMeter,
  State,
  Time,
  toast,
  Trouble,
} from "../../ui.js";
import { Activity } from "./activity.js";
import { AnswerRates } from "./answer_rates.js";
import { ArmsPanel } from "./arms_panel.js";
import { Board } from "./board.js";
import { Contacts } from "../contacts/contacts.js";
import { Controls, exportCampaign, switchCampaign } from "./controls.js";
import { CampaignDialable } from "./dialability.js";
import { CampaignForecastPanel } from "./forecast.js";
import { ResultsPanel } from "./results.js";
import { Waits } from "./waits.js";

const Drawer = lazy(() => import("../contacts/drawer.js"), "Drawer");

/** @typedef {NonNullable<import("../../ops.js").CampaignPageData["campaign"]>} Campaign */
/** @typedef {Campaign["progress"]} Progress */
/** @typedef {import("../../ops.js").ContactUpdatesData["contactUpdates"][number]} Contact */
/** @typedef {(listener: (contacts: Contact[]) => void) => void} Feed */

/** Interval in which a campaign that is not in the read model yet is read again, in milliseconds. */
const MISSING_EVERY_MS = 3_000;

/** One subscription, shared by all parts of the page. @param {string} id @returns {Feed} */
function useFeed(id) {
  const listeners = useRef(/** @type {Set<{ current: (contacts: Contact[]) => void }>} */ (new Set()));
  useSubscription(ContactUpdates, { id }, ({ contactUpdates }) =>
    listeners.current.forEach((each) => each.current(contactUpdates)),
  );
  return useMemo(
    () => (listener) => {
      const latest = useRef(listener);
      latest.current = listener;
      useEffect(() => {
        listeners.current.add(latest);
        return () => void listeners.current.delete(latest);
      }, []);
    },
    [],
  );
}

/** @param {{ id: string, contact?: string }} props */
export default function CampaignView({ id, contact }) {
  const page = useQuery(CampaignPage, { id });
  const progress = useSignal(/** @type {Progress | null} */ (null));
  const useUpdates = useFeed(id);
  const campaign = page.data?.campaign ?? null;
  const now = () => newest(progress.value, /** @type {Campaign} */ (campaign).progress);
  /** @type {import("./controls.js").Reload} */
  const reload = (card) => {
    // It includes the command, whether or not the campaign can be read with it yet.
    if (card) progress.value = newest(card.progress, progress.value ?? card.progress);
    return page.reload();
  };
  const fresh = useThrottled(async () => {
    const { campaign: card } = await request(CampaignReasons, { id }).catch(() => ({ campaign: null }));
    if (card) page.change((old) => (old.campaign ? { ...old, campaign: { ...old.campaign, ...card } } : old));
  }, 2000);
  useSubscription(OneProgress, { id }, ({ campaignProgress }) => {
    progress.value = campaignProgress;
    fresh();
  });
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && fresh(), 10_000);
    return () => clearInterval(timer);
  }, []);
  const isMissing = page.data != null && !campaign;
  useEffect(() => {
    if (!isMissing) return;
    const timer = setInterval(() => !document.hidden && page.reload(), MISSING_EVERY_MS);
    return () => clearInterval(timer);
  }, [isMissing]);
  const shown = useRef(contact);
  useEffect(() => {
    if (!contact && shown.current) focusRow(id, shown.current);
    shown.current = contact;
  }, [contact]);
  useKeys({
    e: () => campaign && exportCampaign(campaign),
    p: () =>
      campaign &&
      may.operate() &&
      switchCampaign({ ...campaign, state: now().state }, reload).catch((error) => toast(error.message, "bad")),
  });
  if (page.error && !campaign) return html`<${Trouble} error=${page.error} again=${page.reload} />`;
  if (!page.data) return html`<${Skeleton} rows=${7} />`;
  if (!campaign)
    return html`<${Head} title="No such campaign" /><${Empty} icon="search" title="There is no campaign at this address"
        ><p>A campaign that was created a moment ago is shown here once the displayed data is up to date.</p>
        <a class="button" href="/">All campaigns</a><//
      >`;
  const close = () => go(`/campaigns/${id}${here.value.search}`);
  return html`<a class="crumb" href="/"><${Icon} name="back" />Campaigns</a>
    <${Title} campaign=${campaign} now=${now} reload=${reload} />
    <${Banner} campaign=${campaign} now=${now} />
    <${ChangedAssistant} campaign=${campaign} now=${now} />
    <div class="stack">
      <${Funnel} now=${now} />
      <div class="columns">
        <div class="stack">
          <${Board}
            id=${id}
            cap=${Math.min(campaign.cap, page.data.settings.globalCap)}
            over=${() => FINISHED.has(now().state)}
            started=${campaign.queuedAt != null}
            useUpdates=${useUpdates}
          />
          <${ArmsPanel} campaign=${campaign} now=${now} />
          <${ResultsPanel} campaign=${campaign} now=${now} />
          <${Activity} campaign=${campaign} now=${now} />
          <${CampaignForecastPanel} id=${id} />
        </div>
        <div class="stack">
          <${Waits} campaign=${campaign} now=${now} />
          <${Facts} campaign=${campaign} now=${now} globalCap=${page.data.settings.globalCap} />
          <${AnswerRates} id=${id} now=${now} />
          ${!FINISHED.has(now().state) && html`<${CampaignDialable} id=${id} />`}
        </div>
      </div>
      <${Contacts} campaign=${campaign} open=${contact ?? null} useUpdates=${useUpdates} />
    </div>
    ${
      contact &&
      html`<${Drawer}
        key=${contact}
        id=${contact}
        now=${now}
        useUpdates=${useUpdates}
        decision=${campaign.lastDecision}
        onClose=${close}
      />`
    }`;
}

/** Focuses the row of a contact whose drawer was closed. @param {string} id @param {string} contact */
function focusRow(id, contact) {
  const row = document.querySelector(`[data-row][href^="/campaigns/${id}/contacts/${contact}"]`);
  if (row instanceof HTMLElement) row.focus();
}

/** @param {Progress | null} pushed @param {Progress} read */
const newest = (pushed, read) => (pushed && pushed.position >= read.position ? pushed : read);

/** @typedef {{ campaign: Campaign, now: () => Progress }} Part */

/** @param {Part & { reload: import("./controls.js").Reload }} props */
const Title = ({ campaign, now, reload }) =>
  html`<${Head}
    title=${campaign.name}
    lead=${html`<${State} value=${now().state} /><${Started} campaign=${campaign} /><${Id}
        id=${campaign.id}
        label="Campaign id"
      />`}
  >
    <${Controls} campaign=${campaign} state=${now().state} reload=${reload}
  /><//>`;

/** A campaign has started when the provider accepted its first call. @param {{ campaign: Campaign }} props */
function Started({ campaign }) {
  if (campaign.startedAt) return html`<span>Started <${Time} at=${campaign.startedAt} /></span>`;
  if (campaign.queuedAt && campaign.startsAt && Date.parse(campaign.startsAt) > quarter.value)
    return html`<span>No call before <${Moment} at=${campaign.startsAt} /></span>`;
  if (campaign.queuedAt)
    return html`<span>Start pressed <${Time} at=${campaign.queuedAt} />; no call accepted yet</span>`;
  return html`<span>Not started</span>`;
}

/** @type {Record<string, string>} */
const WHAT_TO_DO = {
  PERSON: "Resume to continue calling.",
  BUDGET: "Raise the campaign's budget, then resume.",
  ACCOUNT: "Fix the account at the provider, then resume. No contact was used up.",
  PROVIDER_REFUSALS: "Check the reasons of the last calls, fix the assistant or the line, then resume.",
  DUPLICATE_DETECTED:
    "Check both calls at the provider, then resume. If all dialling is stopped, an admin allows it again in Settings.",
};

/** @param {Part} props */
function Banner({ campaign, now }) {
  const { state } = now();
  if (state !== "PAUSED" && state !== "FAILED") return null;
  return html`<div class="banner" data-kind=${state === "FAILED" ? "bad" : "warn"} role="status">
    <${Icon} name="warning" />
    <p>
      <b>${state === "FAILED" ? "Failed" : "Paused"}${campaign.stateReason ? `: ${campaign.stateReason}` : ""}</b>${" "}
      ${campaign.pauseCause && state === "PAUSED" ? WHAT_TO_DO[campaign.pauseCause] : ""}
    </p>
  </div>`;
}

/** The assistant changed while contacts are called. @param {Part} props */
function ChangedAssistant({ campaign, now }) {
  const { assistant, assistantChangedAt } = campaign;
  if (!assistantChangedAt || !MAY_DIAL.has(now().state)) return null;
  return html`<div class="banner" data-kind="warn" role="status">
    <${Icon} name="warning" />
    <p>
      <b>The assistant ${assistant.name} was changed <${Time} at=${assistantChangedAt} />.</b> Calls since then use the
      changed assistant. Pause the campaign to prevent further ones.
    </p>
  </div>`;
}

/** Always shown, so that the layout below does not move. @param {number} n */
const awaited = (n) =>
  n ? `${counted(n, "ended call waits", "ended calls wait")} for the provider's report.` : "Every report is in.";

/** @param {{ now: () => Progress }} props */
function Funnel({ now }) {
  const progress = now();
  const steps = [7, 3, 2, 1, 0, 4, 5, 6].map((i) => /** @type {typeof OUTCOMES[number]} */ (OUTCOMES[i]));
  /** @param {string} status */
  const filter = (status) => {
    setQuery({ status, after: null });
    document
      .getElementById("contacts")
      ?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  return html`<section class="panel stack" aria-label="Progress">
    <${OutcomeBar} progress=${progress} />
    <div class="funnel">
      ${steps.map(
        ([key, status, label]) =>
          html`<button
            type="button"
            key=${key}
            data-state=${status}
            title=${`Show these contacts`}
            onClick=${() => filter(status)}
          >
            <b>${count(progress[key])}</b><span>${label}</span>
          </button>`,
      )}
    </div>
    <p class="hint num">${awaited(progress.awaitingReports)}</p>
  </section>`;
}

/** @param {Part & { globalCap: number }} props */
function Facts({ campaign, now, globalCap }) {
  const progress = now();
  return html`<section class="panel stack">
    <h2>Spend and settings</h2>
    <${SpendMeter} spend=${progress.spend} budget=${campaign.budget} />
    <dl class="facts">
      <dt>Live</dt>
      <dd class="num">
        ${count(progress.active)} of
        ${" "}${count(Math.min(campaign.cap, globalCap))}${
          globalCap < campaign.cap &&
          html`<div class="hint">cap over all campaigns; of this one: ${count(campaign.cap)}</div>`
        }
      </dd>
      <dt>Mode</dt>
      <dd>${words(campaign.mode)}${campaign.lineQuietGating ? ", only while the line is quiet" : ""}</dd>
      <dt>Assistant</dt>
      <dd>${campaign.assistant.name}${campaign.assistantVersion ? `, version ${campaign.assistantVersion}` : ""}</dd>
      <dt>Line</dt>
      <dd class="num">
        ${campaign.phoneNumber ?? html`<${Id} id=${campaign.phoneNumberId} label="Phone number id" />`}
      </dd>
      <dt>Created</dt>
      <dd><${Time} at=${campaign.createdAt} /> by ${campaign.createdBy}</dd>
      <dt>Completed</dt>
      <dd><${Time} at=${campaign.completedAt} empty="not yet" /></dd>
      <dt>Cost a call</dt>
      <dd class="num">${progress.ended ? money(String(Number(progress.spend) / progress.ended)) : "–"}</dd>
    </dl>
    <div>
      <h3>Files</h3>
      <ul>
        ${campaign.imports.map(
          (one) =>
            html`<li key=${one.id} class="row between">
              <span>${one.filename} <span class="quiet">· ${count(one.report.accepted)} accepted</span></span>
              ${
                one.report.skippedCount > 0 &&
                one.report.rejectsUrl &&
                may.operate() &&
                html`<a href=${one.report.rejectsUrl} download>${count(one.report.skippedCount)} skipped</a>`
              }
            </li>`,
        )}
      </ul>
    </div>
  </section>`;
}
