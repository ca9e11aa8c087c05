// @ts-check
import { html, useState } from "../lib.js";
import { may, request } from "../api.js";
import { words } from "../format.js";
import { CallAgain, RemoveContact, SetDisposition, SuppressNumber } from "../ops.js";
import { Action, Dialog, Field, toast } from "../ui.js";

/** @typedef {import("../ops.js").Disposition} Disposition */
/** @typedef {{ disposition: Disposition | null, note: string | null, instead: string }} Sent */
/** @type {Disposition[]} */
export const DISPOSITIONS = [
  "GOAL_REACHED",
  "NOT_INTERESTED",
  "CALLBACK_REQUESTED",
  "WRONG_PERSON",
  "OPTED_OUT",
  "OTHER",
];

/**
 * Outcome and disposition of a contact, and what a member may do about it.
 * @param {{ contact: import("./drawer.js").Contact, reload: () => void }} props
 */
export function ContactActions({ contact, reload }) {
  /** @param {{ __typename: string, message?: string }} result @param {string} done */
  const settle = (result, done) => {
    if (result.__typename === "UserError") return toast(result.message ?? "", "bad");
    toast(done);
    reload();
  };
  // The contact shows a change some time after it was made. Until then what was sent is
  // newer: otherwise saving a note would clear the disposition that was just set.
  const shown = `${contact.disposition}\n${contact.note}`;
  const [sent, setSent] = useState(/** @type {Sent | null} */ (null));
  const { disposition, note } = sent?.instead === shown ? sent : contact;
  /** @param {Partial<Sent>} change @param {string} done */
  const dispose = async (change, done) => {
    const changed = { disposition, note, ...change };
    setSent({ ...changed, instead: shown });
    const result = await request(SetDisposition, { contactId: contact.id, ...changed }).catch((error) => {
      setSent(null);
      throw error;
    });
    if (result.setDisposition.__typename === "UserError") setSent(null);
    settle(result.setDisposition, done);
  };
  const [asked, setAsked] = useState("");
  const remove = async () =>
    settle((await request(RemoveContact, { contactId: contact.id })).removeContact, "It is removed.");
  const waits = contact.status === "PENDING";
  const over = ["ENDED", "FAILED", "CANCELED", "TIMEOUT"].includes(contact.status);
  return html`<section class="stack" aria-label="Result">
    <dl class="facts">
      <dt>Outcome</dt>
      <dd>${contact.outcome ? words(contact.outcome) : "none yet"}</dd>
      <dt>Calls placed</dt>
      <dd class="num">${contact.attempts}</dd>
    </dl>
    ${
      may.operate() &&
      !contact.erasedAt &&
      html`<${Field} label="Disposition"
          >${(/** @type {any} */ a) =>
            html`<select
              ...${a}
              value=${disposition ?? ""}
              onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
                dispose(
                  { disposition: /** @type {Disposition | null} */ (e.currentTarget.value || null) },
                  "Disposition set.",
                ).catch((error) => toast(error.message, "bad"))}
            >
              <option value="">None</option>
              ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
            </select>`}<//
        >
        <${Note}
          key=${note}
          note=${note ?? ""}
          save=${(/** @type {string} */ text) => dispose({ note: text || null }, "Note saved.")}
        />
        <div class="row">
          ${over && html`<button type="button" onClick=${() => setAsked("again")}>Call again</button>`}
          ${waits && html`<${Action} onPress=${remove}>Remove<//>`}
          ${
            contact.withheld !== "SUPPRESSED" &&
            html`<button type="button" class="danger" onClick=${() => setAsked("never")}>Never call</button>`
          }
        </div>`
    }
    ${!contact.erasedAt && !may.operate() && contact.note && html`<p>${contact.note}</p>`}
    ${asked === "again" && html`<${Again} id=${contact.id} settle=${settle} onClose=${() => setAsked("")} />`}
    ${asked === "never" && html`<${Never} contact=${contact} settle=${settle} onClose=${() => setAsked("")} />`}
  </section>`;
}

/** @param {{ note: string, save: (note: string) => Promise<void> }} props */
function Note({ note, save }) {
  const [text, setText] = useState(note);
  return html`<${Field} label="Note"
      >${(/** @type {any} */ a) =>
        html`<textarea
          ...${a}
          class="short"
          maxlength="2000"
          value=${text}
          onInput=${(/** @type {{ currentTarget: HTMLTextAreaElement }} */ e) => setText(e.currentTarget.value)}
        ></textarea>`}<//
    >${text.trim() !== note && html`<div><${Action} onPress=${() => save(text.trim())}>Save the note<//></div>`}`;
}

/** @typedef {(result: { __typename: string, message?: string }, done: string) => void} Settle */

/** Asks when the contact is called again. @param {{ id: string, settle: Settle, onClose: () => void }} props */
function Again({ id, settle, onClose }) {
  const [at, setAt] = useState("");
  const order = async () => {
    const result = await request(CallAgain, { contactId: id, at: at ? new Date(at).toISOString() : null });
    settle(result.callAgain, "It is called again.");
    onClose();
  };
  return html`<${Dialog} title="Call again?" onClose=${onClose}>
    <p>The contact is called once more, when the rules allow it.</p>
    <${Field} label="Not before" hint="Empty: as soon as possible. In your time."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="datetime-local"
          value=${at}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setAt(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button><${Action} kind="primary" onPress=${order}>Call again<//>
    </footer><//
  >`;
}

/**
 * Adds the contact's number to the do-not-call register.
 * @param {{ contact: import("./drawer.js").Contact, settle: Settle, onClose: () => void }} props
 */
function Never({ contact, settle, onClose }) {
  const suppress = async () => {
    const result = await request(SuppressNumber, { phone: contact.phone, reason: `Contact ${contact.id}` });
    settle(result.suppressNumber, "The number is not called again in any campaign.");
    onClose();
  };
  return html`<${Dialog} title="Never call this number again?" onClose=${onClose}>
    <p>
      ${contact.phone} is added to the do-not-call register of all campaigns. A call in progress continues to its end.
      Only an admin can lift this.
    </p>
    <footer>
      <button type="button" onClick=${onClose}>Keep it</button
      ><${Action} kind="danger primary" onPress=${suppress}>Never call<//>
    </footer><//
  >`;
}
