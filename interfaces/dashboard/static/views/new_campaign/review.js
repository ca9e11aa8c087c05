// @ts-check
import { html } from "../../lib.js";
import { count, dayAndTime, words } from "../../format.js";
import { UploadDialable } from "../campaign/dialability.js";
import { gateTerms } from "./form.js";

/** @typedef {import("./form.js").Form} Form */

/**
 * Everything that was chosen, who may be called, and what the children add, such as a test call.
 * @param {{
 *   form: Form,
 *   upload: import("../../contact_file.js").Upload | null,
 *   choices: import("../../ops.js").ChoicesData | null | undefined,
 *   children?: any,
 * }} props
 */
export function Review({ form, upload, choices, children }) {
  const assistant = choices?.assistants.find((one) => one.id === form.assistantId);
  const line = choices?.phoneNumbers.find((one) => one.id === form.phoneNumberId);
  const cap = form.cap ? Number(form.cap) : choices?.settings.defaultCap;
  const terms = gateTerms(form);
  return html`<dl class="facts">
      <dt>Contacts</dt>
      <dd class="num">${upload ? count(upload.report.accepted) : "no file yet"}</dd>
      <dt>Assistant</dt>
      <dd>${assistant?.name ?? "not chosen yet"}</dd>
      <dt>Line</dt>
      <dd>${line ? (line.number ?? line.name ?? line.id) : "not chosen yet"}</dd>
      <dt>Calls at once</dt>
      <dd class="num">${atOnce(cap, choices?.settings.globalCap)}</dd>
      <dt>Mode</dt>
      <dd>${words(form.mode)}${form.lineQuietGating ? ", only while the line is quiet" : ""}</dd>
      <dt>Budget</dt>
      <dd class="num">${form.budget ? `$${form.budget}` : "no limit"}</dd>
      <dt>Starts</dt>
      <dd>${form.startsAt ? dayAndTime(form.startsAt) : "when you press Start"}</dd>
      <dt>Ends</dt>
      <dd>${form.endsAt ? dayAndTime(form.endsAt) : "when every contact is finished"}</dd>
      <dt>Calls to a contact</dt>
      <dd>${form.policy ? `at most ${form.policy.attempts}` : "one"}</dd>
    </dl>
    ${upload && html`<${UploadDialable} key=${upload.id} uploadId=${upload.id} terms=${terms} />`} ${children}`;
}

/**
 * The lower of both caps.
 * @param {number | undefined} cap
 * @param {number | undefined} globalCap
 */
function atOnce(cap, globalCap) {
  if (!cap || !globalCap) return "–";
  return cap > globalCap ? `${count(globalCap)}, the cap over all campaigns` : count(cap);
}
