// @ts-check
import { html, useEffect, useState } from "../lib.js";
import { may, request, useQuery } from "../api.js";
import { forget } from "../contact_file.js";
import { count } from "../format.js";
import { Choices, CreateCampaign, PhoneNumbers, RetryChoices, StartCampaign } from "../ops.js";
import { go } from "../route.js";
import { Action, Empty, Field, Head, Skeleton, toast, Trouble } from "../ui.js";
import { armsOf, ArmsChoice, NO_ARMS } from "./arms_choice.js";
import { AssistantFit } from "./assistant_fit.js";
import { UploadDialable } from "./dialability.js";
import { FileDrop } from "./file_drop.js";
import { NO_TERMS, policyOf, RetryChoice, termsOf } from "./retry_choice.js";
import { TestCall } from "./test_call.js";

/** @typedef {import("../contact_file.js").Upload} Upload */

/** Where the page keeps its file and, in the session storage, its form. */
const PLACE = "new-campaign";
const START = {
  name: "",
  assistantId: "",
  phoneNumberId: "",
  cap: "",
  mode: "CONTINUOUS",
  lineQuietGating: false,
  budget: "",
  ...NO_TERMS,
  ...NO_ARMS,
};

const BUDGET_HINT =
  "Empty: no limit. No new call starts once the spend and the expected cost of live calls reach it. " +
  "Calls in progress are not cut off, so the total can exceed it by what they cost beyond the expected: " +
  "keep the cap small for a small budget.";

/** @param {Upload} upload */
const nameOf = (upload) =>
  upload.filename
    .replace(/\.[a-z]+$/i, "")
    .replace(/[_-]+/g, " ")
    .slice(0, 100);

/** The form as it was before a reload. @returns {typeof START} */
function keptForm() {
  try {
    return { ...START, ...JSON.parse(sessionStorage.getItem(PLACE) ?? "{}") };
  } catch {
    return START;
  }
}

/** @param {typeof START} form */
function keepForm(form) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(form));
  } catch {
    // A browser without storage keeps the form until the page is left.
  }
  return form;
}

export default function NewCampaign() {
  const choices = useQuery(Choices, {});
  const retries = useQuery(RetryChoices, {});
  const [uploaded, setUploaded] = useState(/** @type {Upload | null} */ (null));
  const [form, setForm] = useState(keptForm);
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  useEffect(() => void keepForm(form), [form]);
  if (!may.operate())
    return html`<${Head} title="New campaign" /><${Empty} icon="warning" title="For operators and admins"
        ><p>Your role sees campaigns and cannot create them. An admin can change it.</p><//
      >`;
  // Kept at once: an effect would run after the next frame, and the page may be reloaded before.
  /** @param {Partial<typeof START>} change */
  const set = (change) => setForm((old) => keepForm({ ...old, ...change }));
  /** @param {Upload | null} upload */
  const took = (upload) => {
    setUploaded(upload);
    if (upload) setForm((old) => ({ ...old, name: old.name || nameOf(upload) }));
  };
  const create = async (/** @type {boolean} */ start) => {
    const gaps = missing(form, uploaded);
    setWrong(gaps);
    if (Object.keys(gaps).length)
      return void document
        .querySelector("[data-wrong] input, [data-wrong] select, #file")
        ?.scrollIntoView({ block: "center" });
    const { createCampaign: said } = await request(CreateCampaign, {
      input: {
        ...inputOf(form, /** @type {Upload} */ (uploaded)),
        ...termsOf(form, policyOf(form.retry, retries.data)),
        ...armsOf(form),
      },
    });
    if (said.__typename === "UserError") {
      setWrong(Object.fromEntries(said.fields.map((field) => [field.path.at(-1) ?? "", field.message])));
      return toast(said.message, "bad");
    }
    keepForm(START);
    await forget(PLACE);
    if (start) await begin(said.campaign.id);
    go(`/campaigns/${said.campaign.id}`);
  };
  const data = choices.data;
  return html`<${Head} title="New campaign" lead="Nothing is called before you press Start." />
    ${choices.error && html`<${Trouble} error=${choices.error} again=${choices.reload} />`}
    <div class="columns">
      <div class="stack">
        <section class="panel" aria-labelledby="who">
          <header>
            <h2 id="who">1 · Who is called</h2>
          </header>
          <${FileDrop} place=${PLACE} onUpload=${took} />
          ${wrong.uploadId && html`<p class="wrong" role="alert">${wrong.uploadId}</p>`}
        </section>
        ${
          uploaded &&
          uploaded.report.accepted > 0 &&
          html`<${UploadDialable} key=${uploaded.id} uploadId=${uploaded.id} terms=${{}} />`
        }
        <section class="panel" aria-labelledby="how">
          <header><h2 id="how">2 · How</h2></header>
          ${
            data
              ? html`<${How} form=${form} set=${set} wrong=${wrong} choices=${data} />`
              : html`<${Skeleton} rows=${3} />`
          }
          ${
            uploaded &&
            form.assistantId &&
            uploaded.report.accepted > 0 &&
            html`<${AssistantFit} key=${uploaded.id} uploadId=${uploaded.id} assistantId=${form.assistantId} />`
          }
          <${ArmsChoice}
            form=${form}
            set=${set}
            wrong=${wrong}
            assistants=${data?.assistants ?? []}
            contacts=${uploaded?.report.accepted ?? null}
          />
          <${TestCall}
            assistantId=${form.assistantId}
            phoneNumberId=${form.phoneNumberId}
            first=${uploaded?.sample[0] ?? null}
          />
          <${RetryChoice} form=${form} set=${set} wrong=${wrong} choices=${retries.data} />
        </section>
      </div>
      <aside class="panel stack" aria-label="Summary">
        <h2>3 · Create</h2>
        <dl class="facts">
          <dt>Contacts</dt>
          <dd class="num">${uploaded ? count(uploaded.report.accepted) : "–"}</dd>
          <dt>At once</dt>
          <dd class="num">${form.cap || data?.settings.defaultCap || "–"}</dd>
          <dt>Budget</dt>
          <dd class="num">${form.budget ? `$${form.budget}` : "no limit"}</dd>
        </dl>
        <${Action} kind="primary" icon="play" onPress=${() => create(true)}>Create and start<//>
        <${Action} onPress=${() => create(false)}>Create without starting<//>
      </aside>
    </div>`;
}

/** @param {typeof START} form @param {Upload | null} uploaded @returns {Record<string, string>} */
function missing(form, uploaded) {
  return {
    ...(!uploaded && { uploadId: "Choose a file first, and wait until it has been read." }),
    ...(uploaded?.report.accepted === 0 && {
      uploadId: "No row of this file can be called. Fix it and choose it again.",
    }),
    ...(!form.name.trim() && { name: "Enter a name." }),
    ...(!form.assistantId && { assistantId: "Choose an assistant." }),
    ...(!form.phoneNumberId && { phoneNumberId: "Choose a line." }),
  };
}

/** @param {typeof START} form @param {Upload} uploaded @returns {import("../ops.js").CreateCampaignInput} */
const inputOf = (form, uploaded) => ({
  name: form.name.trim(),
  uploadId: uploaded.id,
  assistantId: form.assistantId,
  phoneNumberId: form.phoneNumberId,
  cap: form.cap ? Number(form.cap) : null,
  mode: form.mode === "BATCH" ? "BATCH" : "CONTINUOUS",
  lineQuietGating: form.lineQuietGating,
  budget: form.budget || null,
});

/** @param {string} id */
async function begin(id) {
  const { startCampaign: said } = await request(StartCampaign, { id });
  if (said.__typename === "UserError") toast(`Created, but not started: ${said.message}`, "bad");
}

/**
 * @param {{
 *   form: typeof START,
 *   set: (change: Partial<typeof START>) => void,
 *   wrong: Record<string, string>,
 *   choices: import("../ops.js").ChoicesData,
 * }} props
 */
function How({ form, set, wrong, choices }) {
  /** @param {keyof typeof START} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) => set({ [name]: e.currentTarget.value }),
  });
  return html`<div class="form">
    <div class="full">
      <${Field} label="Name" error=${wrong.name}
        >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} maxlength="200" />`}<//
      >
    </div>
    <${Field}
      label="Assistant"
      error=${wrong.assistantId}
      hint=${choices.assistants.length ? "The voice agent" : html`None yet: <a href="/assistants">add one</a>`}
    >
      ${(/** @type {any} */ a) =>
        html`<select ...${a} ...${bind("assistantId")}>
          <option value="">Choose…</option>
          ${choices.assistants.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
        </select>`}<//
    >
    <${Lines} form=${form} bind=${bind} wrong=${wrong} first=${choices.phoneNumbers} />
    <${Field}
      label="Cap: calls at once"
      error=${wrong.cap}
      hint=${`Empty: ${choices.settings.defaultCap}. All campaigns together: ${choices.settings.globalCap}.`}
    >
      ${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          ...${bind("cap")}
          type="number"
          min="1"
          max="10000"
          inputmode="numeric"
          placeholder=${choices.settings.defaultCap}
        />`}<//
    >
    <${Field} label="Budget in US dollars" error=${wrong.budget} hint=${BUDGET_HINT}>
      ${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          ...${bind("budget")}
          type="number"
          min="0"
          step="0.01"
          inputmode="decimal"
          placeholder="No limit"
        />`}<//
    >
    <fieldset>
      <legend>Mode</legend>
      <label class="tick"
        ><input
          type="radio"
          name="mode"
          checked=${form.mode === "CONTINUOUS"}
          onChange=${() => set({ mode: "CONTINUOUS" })}
        /><span>Continuous<span>A new call starts when one ends.</span></span></label
      >
      <label class="tick"
        ><input
          type="radio"
          name="mode"
          checked=${form.mode === "BATCH"}
          onChange=${() => set({ mode: "BATCH" })}
        /><span>Batch<span>A new batch starts when the last one has ended.</span></span></label
      >
    </fieldset>
    <fieldset>
      <legend>When</legend>
      <label class="tick"
        ><input
          type="checkbox"
          checked=${form.lineQuietGating}
          onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
            set({ lineQuietGating: e.currentTarget.checked })}
        /><span
          >Only while the line is quiet<span>Waits while any call is live on this number, ours or not.</span></span
        ></label
      >
    </fieldset>
  </div>`;
}

/**
 * The lines with their current calls.
 * @param {{
 *   form: typeof START,
 *   bind: (name: keyof typeof START) => any,
 *   wrong: Record<string, string>,
 *   first: import("../ops.js").ChoicesData["phoneNumbers"],
 * }} props
 */
function Lines({ form, bind, wrong, first }) {
  const fresh = useQuery(PhoneNumbers, {}, Boolean(form.phoneNumberId));
  const lines = fresh.data?.phoneNumbers ?? first;
  const chosen = lines.find((line) => line.id === form.phoneNumberId);
  const activity = !chosen
    ? "The number that people see"
    : chosen.activeCalls == null
      ? "The provider cannot be reached, so its live calls are unknown"
      : chosen.activeCalls
        ? `${chosen.activeCalls} calls live on it now`
        : "Quiet now";
  return html`<${Field}
    label="Line"
    error=${wrong.phoneNumberId}
    hint=${lines.length ? activity : "The provider shows no phone number. See Health and lines."}
  >
    ${(/** @type {any} */ a) =>
      html`<select ...${a} ...${bind("phoneNumberId")}>
        <option value="">Choose…</option>
        ${lines.map(
          (line) =>
            html`<option key=${line.id} value=${line.id}>
              ${[line.number ?? line.id, line.name]
                .filter(Boolean)
                .join(" · ")}${line.activeCalls ? ` (${line.activeCalls} live)` : ""}
            </option>`,
        )}
      </select>`}<//
  >`;
}
