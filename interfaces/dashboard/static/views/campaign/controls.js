// @ts-check
import { html, useState } from "../../lib.js";
import { may, request } from "../../api.js";
import {
  CampaignReasons,
  CancelCampaign,
  PauseCampaign,
  ResumeCampaign,
  ScheduleCampaign,
  StartCampaign,
} from "../../ops.js";
import { counted } from "../../format.js";
import { lazy } from "../../lazy.js";
import { FINISHED, MAY_DIAL } from "../../states.js";
import { Action, Dialog, Field, Icon, toast } from "../../ui.js";
import { settle } from "./settle.js";

/** @typedef {import("./campaign.js").Campaign} Campaign */
/** @typedef {(card?: { progress: Campaign["progress"] }) => Promise<void>} Reload `card` is what a command returned */
/** @typedef {{ campaign: Campaign, reload: Reload, onClose: () => void }} Asked */

/** @param {{ exportUrl: string }} campaign */
export function exportCampaign(campaign) {
  const anchor = document.createElement("a");
  anchor.href = campaign.exportUrl;
  anchor.download = "";
  anchor.click();
}

/** The action of the main button in this state. @param {Campaign["state"]} state */
const mainOf = (state) =>
  state === "CREATED" ? "start" : state === "PAUSED" ? "resume" : MAY_DIAL.has(state) ? "pause" : null;

/**
 * Executes a command and shows the campaign as it is afterwards, even if the response was lost.
 * @param {() => Promise<{ progress: Campaign["progress"] }>} command
 * @param {Reload} reload
 */
async function execute(command, reload) {
  try {
    reload(await command());
  } catch (error) {
    reload();
    throw error;
  }
}

/** @param {Campaign} campaign @param {Reload} reload */
export async function switchCampaign({ id, state }, reload) {
  const act = mainOf(state);
  if (act === "start")
    await execute(
      async () =>
        settle((await request(StartCampaign, { id })).startCampaign, "Started. The first calls go out in a moment."),
      reload,
    );
  if (act === "resume") await resume(id, reload).finally(reload);
  if (act === "pause")
    await execute(
      async () =>
        settle(
          (await request(PauseCampaign, { id })).pauseCampaign,
          "Paused. No new calls; calls in progress continue.",
        ),
      reload,
    );
}

/** How long the campaign is watched after Resume, in milliseconds, and how often. */
const [WATCHED, EACH] = [3_000, 500];

/**
 * Resumes; throws with the reason if the campaign is paused again at once.
 * @param {string} id
 * @param {Reload} reload
 */
async function resume(id, reload) {
  const { resumeCampaign: result } = await request(ResumeCampaign, { id });
  if (result.__typename === "UserError") throw new Error(result.message);
  reload(result);
  for (let waited = 0; waited < WATCHED; waited += EACH) {
    await new Promise((wake) => setTimeout(wake, EACH));
    const { campaign } = await request(CampaignReasons, { id });
    // What was read may be older than the result while the projector is behind.
    const isNewer = campaign && (result.state === "PAUSED" || campaign.progress.position > result.progress.position);
    if (!isNewer || campaign.state !== "PAUSED") continue;
    throw new Error(`Resumed, and paused again at once: ${campaign.stateReason ?? "see the banner above."}`);
  }
  toast("Resumed.");
}

/** @param {{ campaign: Campaign, state: Campaign["state"], reload: Reload }} props */
export function Controls({ campaign, state, reload }) {
  const [asked, setAsked] = useState("");
  const open = !FINISHED.has(state);
  const main = mainOf(state);
  const close = () => setAsked("");
  const part = { campaign: { ...campaign, state }, reload, onClose: close };
  return html`${
      may.audit() &&
      html`<a class="button" href=${`/campaigns/${campaign.id}/history`}><${Icon} name="clock" />History</a>`
    }
    <button type="button" title="Export the results (e: standard columns at once)" onClick=${() => setAsked("export")}>
      <${Icon} name="download" />Export
    </button>
    ${
      may.operate() &&
      html`<a class="button" href=${`/campaigns/new?from=${campaign.id}`} title="A new campaign with these settings"
        ><${Icon} name="copy" />Duplicate</a
      >`
    }
    ${
      may.operate() &&
      open &&
      html` <button type="button" onClick=${() => setAsked("import")}><${Icon} name="plus" />Add contacts</button>
        <button type="button" onClick=${() => setAsked("edit")}><${Icon} name="edit" />Change</button>
        <button type="button" class="danger" onClick=${() => setAsked("cancel")}><${Icon} name="stop" />Cancel</button>
        ${
          state === "CREATED" &&
          html`<button type="button" onClick=${() => setAsked("schedule")}><${Icon} name="clock" />Schedule</button>`
        }
        ${
          main &&
          html`<${Action}
            kind=${main === "pause" ? "" : "primary"}
            icon=${main === "pause" ? "pause" : "play"}
            hint=${`${main} (p)`}
            onPress=${() => switchCampaign({ ...campaign, state: /** @type {Campaign["state"]} */ (state) }, reload)}
            >${{ start: "Start", resume: "Resume", pause: "Pause" }[main]}<//
          >`
        }`
    }
    <${Asking} asked=${asked} part=${part} />`;
}

/** @param {Asked} props */
function Cancel({ campaign, reload, onClose }) {
  const [typed, setTyped] = useState("");
  const [hangUp, setHangUp] = useState(false);
  const { pending, active } = campaign.progress;
  const done = hangUp
    ? "Canceled. The calls in progress are being ended."
    : "Canceled. Calls in progress continue to their end.";
  const act = async () => {
    await execute(
      async () => settle((await request(CancelCampaign, { id: campaign.id, hangUp })).cancelCampaign, done),
      reload,
    );
    onClose();
  };
  return html`<${Dialog} title="Cancel this campaign?" onClose=${onClose}>
    <p>${counted(pending, "contact")} will never be called. This cannot be undone.</p>
    <label class="tick"
      ><input
        type="checkbox"
        checked=${hangUp}
        onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setHangUp(e.currentTarget.checked)}
      /><span
        >Hang up the ${counted(active, "call")} in progress<span>Otherwise they continue to their end.</span></span
      ></label
    >
    <${Field} label="Type “cancel” to confirm"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          autocomplete="off"
          value=${typed}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setTyped(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Keep it</button
      ><${Action} kind="danger primary" disabled=${typed.trim().toLowerCase() !== "cancel"} onPress=${act}
        >Cancel the campaign<//
      >
    </footer>
  <//>`;
}

const DIALOGS = {
  cancel: Cancel,
  edit: lazy(() => import("./edit_campaign.js"), "Edit"),
  export: lazy(() => import("../contacts/export_dialog.js"), "ExportDialog"),
  import: lazy(() => import("../contact_file/add_contacts.js"), "AddContacts"),
  schedule: Schedule,
};

/** The dialog that is open. @param {{ asked: string, part: Asked }} props */
function Asking({ asked, part }) {
  const View = DIALOGS[/** @type {keyof typeof DIALOGS} */ (asked)];
  return View ? html`<${View} ...${part} />` : null;
}

/** Starts at a time. @param {Asked} props */
function Schedule({ campaign, reload, onClose }) {
  const [at, setAt] = useState("");
  const start = async () => {
    const asked = { id: campaign.id, at: new Date(at).toISOString() };
    const done =
      new Date(at) > new Date()
        ? "Scheduled. The first calls go out at that time, when the rules allow it."
        : "That time has passed: started. The first calls go out in a moment, when the rules allow it.";
    await execute(async () => settle((await request(ScheduleCampaign, asked)).startCampaign, done), reload);
    onClose();
  };
  return html`<${Dialog} title="Start at a time" onClose=${onClose}>
    <${Field} label="First call not before" hint="In your time"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="datetime-local"
          value=${at}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setAt(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!at} onPress=${start}>Schedule<//>
    </footer>
  <//>`;
}
