// @ts-check
import { html, useState } from "../../lib.js";
import { may, request } from "../../api.js";
import { words } from "../../format.js";
import { CallAgain, RemoveContact, SuppressNumber } from "../../ops.js";
import { Action, Dialog, Field, toast } from "../../ui.js";
import { settle } from "../campaign/settle.js";
import { useResult } from "./drawer/sent_result.js";

/** @typedef {import("../../ops.js").Disposition} Disposition */
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
 * @param {{ contact: import("./drawer.js").Contact, isFinished: boolean, reload: () => void }} props `isFinished` is
 *   whether the campaign calls nobody any more
 */
export function ContactActions({ contact, isFinished, reload }) {
  const { disposition, note, send } = useResult(contact, reload);
  const [asked, setAsked] = useState("");
  const close = () => setAsked("");
  const remove = async () =>
    settle((await request(RemoveContact, { contactId: contact.id }).finally(reload)).removeContact, "It is removed.");
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
                send(
                  { disposition: /** @type {Disposition | null} */ (e.currentTarget.value || null) },
                  "Disposition set.",
                ).catch((error) => toast(error.message, "bad"))}
            >
              <option value="">None</option>
              ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
            </select>`}<//
        >
        <${Note}
          note=${note ?? ""}
          save=${(/** @type {string} */ text) => send({ note: text || null }, "Note saved.")}
        />
        <div class="row">
          ${
            over &&
            html`<button
              type="button"
              disabled=${isFinished}
              title=${isFinished ? "The campaign is finished: redial the contact in a new one." : null}
              onClick=${() => setAsked("again")}
            >
              Call again
            </button>`
          }
          ${waits && html`<${Action} onPress=${remove}>Remove<//>`}
          ${
            contact.withheld !== "SUPPRESSED" &&
            html`<button type="button" class="danger" onClick=${() => setAsked("never")}>Never call</button>`
          }
        </div>`
    }
    ${!contact.erasedAt && !may.operate() && contact.note && html`<p>${contact.note}</p>`}
    ${asked === "again" && html`<${Again} id=${contact.id} reload=${reload} onClose=${close} />`}
    ${asked === "never" && html`<${Never} contact=${contact} reload=${reload} onClose=${close} />`}
  </section>`;
}

/** @param {{ note: string, save: (note: string) => Promise<void> }} props */
function Note({ note, save }) {
  /** What was typed and is not saved; null if nothing was. */
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const text = typed ?? note;
  const press = async () => {
    await save(text.trim());
    setTyped((newest) => (newest === text ? null : newest));
  };
  return html`<${Field} label="Note"
      >${(/** @type {any} */ a) =>
        html`<textarea
          ...${a}
          class="short"
          maxlength="2000"
          value=${text}
          onInput=${(/** @type {{ currentTarget: HTMLTextAreaElement }} */ e) => setTyped(e.currentTarget.value)}
        ></textarea>`}<//
    >${
      typed != null && html`<div><${Action} disabled=${typed.trim() === note} onPress=${press}>Save the note<//></div>`
    }`;
}

/** Asks when the contact is called again. @param {{ id: string, reload: () => void, onClose: () => void }} props */
function Again({ id, reload, onClose }) {
  const [at, setAt] = useState("");
  const order = async () => {
    const asked = { contactId: id, at: at ? new Date(at).toISOString() : null };
    const result = await request(CallAgain, asked).finally(reload);
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
 * @param {{ contact: import("./drawer.js").Contact, reload: () => void, onClose: () => void }} props
 */
function Never({ contact, reload, onClose }) {
  const suppress = async () => {
    const asked = { phone: contact.phone, reason: `Contact ${contact.id}` };
    const result = await request(SuppressNumber, asked).finally(reload);
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
