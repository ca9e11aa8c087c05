// @ts-check
import { html, useState } from "../lib.js";
import { may, request } from "../api.js";
import { forget } from "../contact_file.js";
import {
  CancelCampaign,
  ImportContacts,
  PauseCampaign,
  ResumeCampaign,
  StartCampaign,
  UpdateCampaign,
} from "../ops.js";
import { count } from "../format.js";
import { FINISHED, MAY_DIAL } from "../states.js";
import { Action, Dialog, Field, Icon, toast } from "../ui.js";
import { FileDrop } from "./file_drop.js";

/** @typedef {import("./campaign.js").Campaign} Campaign */
/** @typedef {{ campaign: Campaign, reload: () => void, onClose: () => void }} Asked */

/** @param {{ __typename: string, message?: string }} result @param {string} done */
function settle(result, done) {
  if (result.__typename === "UserError") throw new Error(result.message);
  toast(done);
}

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

/** @param {Campaign} campaign @param {() => void} reload */
export async function switchCampaign(campaign, reload) {
  const { id } = campaign;
  const act = mainOf(campaign.state);
  if (act === "start")
    settle((await request(StartCampaign, { id })).startCampaign, "Started. The first calls go out in a moment.");
  if (act === "resume") settle((await request(ResumeCampaign, { id })).resumeCampaign, "Resumed.");
  if (act === "pause")
    settle((await request(PauseCampaign, { id })).pauseCampaign, "Paused. No new calls; calls in progress continue.");
  reload();
}

/** @param {{ campaign: Campaign, state: Campaign["state"], reload: () => void }} props */
export function Controls({ campaign, state, reload }) {
  const [asked, setAsked] = useState("");
  const open = !FINISHED.has(state);
  const main = mainOf(state);
  const close = () => setAsked("");
  const part = { campaign, reload, onClose: close };
  return html`${
      may.audit() &&
      html`<a class="button" href=${`/campaigns/${campaign.id}/history`}><${Icon} name="clock" />History</a>`
    }
    <a class="button" href=${campaign.exportUrl} download title="Export the results as CSV (e)"
      ><${Icon} name="download" />Export</a
    >
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
    ${asked === "cancel" && html`<${Cancel} ...${part} />`} ${asked === "edit" && html`<${Edit} ...${part} />`}
    ${asked === "import" && html`<${Import} ...${part} />`}`;
}

/** @param {Asked} props */
function Cancel({ campaign, reload, onClose }) {
  const [typed, setTyped] = useState("");
  const [hangUp, setHangUp] = useState(false);
  const { pending, active } = campaign.progress;
  const act = async () => {
    settle(
      (await request(CancelCampaign, { id: campaign.id, hangUp })).cancelCampaign,
      hangUp
        ? "Canceled. The calls in progress are being ended."
        : "Canceled. Calls in progress continue to their end.",
    );
    onClose();
    reload();
  };
  return html`<${Dialog} title="Cancel this campaign?" onClose=${onClose}>
    <p>${count(pending)} contacts will never be called. This cannot be undone.</p>
    <label class="tick"
      ><input
        type="checkbox"
        checked=${hangUp}
        onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setHangUp(e.currentTarget.checked)}
      /><span
        >Hang up the ${count(active)} calls in progress<span>Otherwise they continue to their end.</span></span
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

/** @param {Asked} props */
function Edit({ campaign, reload, onClose }) {
  const before = {
    name: campaign.name,
    cap: String(campaign.cap),
    budget: campaign.budget ?? "",
    quiet: campaign.lineQuietGating,
  };
  const [form, setForm] = useState(before);
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  /** @param {"name" | "cap" | "budget"} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
      setForm((old) => ({ ...old, [name]: e.currentTarget.value })),
  });
  const save = async () => {
    const input = {
      ...(form.name !== before.name && { name: form.name }),
      ...(form.cap !== before.cap && { cap: Number(form.cap) }),
      ...(form.budget !== before.budget && { budget: form.budget || null }),
      ...(form.quiet !== before.quiet && { lineQuietGating: form.quiet }),
    };
    const { updateCampaign: result } = await request(UpdateCampaign, { id: campaign.id, input });
    if (result.__typename === "UserError")
      setWrong(Object.fromEntries(result.fields.map((field) => [field.path.at(-1) ?? "", field.message])));
    settle(result, "Changed. The scheduler uses it from its next pass.");
    onClose();
    reload();
  };
  return html`<${Dialog} title="Change the campaign" onClose=${onClose}>
    <${Field} label="Name" error=${wrong.name}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} />`}<//
    >
    <${Field} label="Cap: calls at once" hint="If lower, no new calls start until enough have ended." error=${wrong.cap}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("cap")} type="number" min="1" max="10000" />`}<//
    >
    <${Field} label="Budget in US dollars" hint="Empty: no limit." error=${wrong.budget}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("budget")} type="number" min="0" step="0.01" />`}<//
    >
    <label class="tick"
      ><input
        type="checkbox"
        checked=${form.quiet}
        onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
          setForm((old) => ({ ...old, quiet: e.currentTarget.checked }))}
      /><span>Only while the line is quiet</span></label
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button><${Action} kind="primary" onPress=${save}>Save<//>
    </footer>
  <//>`;
}

/** @param {Asked} props */
function Import({ campaign, reload, onClose }) {
  const [uploaded, setUploaded] = useState(/** @type {import("../contact_file.js").Upload | null} */ (null));
  const add = async () => {
    const { importContacts: result } = await request(ImportContacts, {
      campaignId: campaign.id,
      uploadId: uploaded?.id ?? "",
    });
    settle(result, result.__typename === "ImportedCampaign" ? `${count(result.report.accepted)} contacts added.` : "");
    await forget(campaign.id);
    onClose();
    reload();
  };
  return html`<${Dialog} title="Add contacts" onClose=${onClose} wide>
    <${FileDrop} place=${campaign.id} onUpload=${setUploaded} />
    <footer>
      <button type="button" onClick=${onClose}>Close</button
      ><${Action} kind="primary" disabled=${!uploaded?.report.accepted} onPress=${add}
        >Add ${uploaded ? count(uploaded.report.accepted) : ""} contacts<//
      >
    </footer>
  <//>`;
}
