// @ts-check
import { html } from "../lib.js";
import { may, request } from "../api.js";
import { words } from "../format.js";
import { CallAgain, RemoveContact, SetDisposition } from "../ops.js";
import { Action, Field, Time, toast } from "../ui.js";

/** @typedef {import("../ops.js").Disposition} Disposition */
/** @type {Disposition[]} */
const DISPOSITIONS = ["GOAL_REACHED", "NOT_INTERESTED", "CALLBACK_REQUESTED", "WRONG_PERSON", "OPTED_OUT", "OTHER"];

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
  /** @param {string} value */
  const dispose = async (value) => {
    const disposition = /** @type {Disposition | null} */ (value || null);
    const result = await request(SetDisposition, { contactId: contact.id, disposition });
    settle(result.setDisposition, "Disposition set.");
  };
  const callAgain = async () =>
    settle((await request(CallAgain, { contactId: contact.id })).callAgain, "It is called again.");
  const remove = async () =>
    settle((await request(RemoveContact, { contactId: contact.id })).removeContact, "It is removed.");
  const waits = contact.status === "PENDING";
  const over = ["ENDED", "FAILED", "CANCELED", "TIMEOUT"].includes(contact.status);
  return html`<section class="stack" aria-label="Result">
    <dl class="facts">
      <dt>Outcome</dt>
      <dd>${contact.outcome ? words(contact.outcome) : "none yet"}</dd>
      ${
        contact.withheld &&
        html`<dt>Withheld</dt>
          <dd>${words(contact.withheld)}</dd>`
      }
      ${
        contact.nextAttemptAt &&
        html`<dt>Next call</dt>
          <dd><${Time} at=${contact.nextAttemptAt} /></dd>`
      }
    </dl>
    ${
      may.operate() &&
      !contact.erasedAt &&
      html`<${Field} label="Disposition"
          >${(/** @type {any} */ a) =>
            html`<select
              ...${a}
              value=${contact.disposition ?? ""}
              onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => dispose(e.currentTarget.value)}
            >
              <option value="">None</option>
              ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
            </select>`}<//
        >
        <div class="row">
          ${over && html`<${Action} onPress=${callAgain}>Call again<//>`}
          ${waits && html`<${Action} onPress=${remove}>Remove<//>`}
        </div>`
    }
  </section>`;
}
