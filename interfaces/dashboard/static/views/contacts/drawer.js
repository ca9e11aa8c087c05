// @ts-check
import { html, useEffect } from "../../lib.js";
import { useQuery, useThrottled } from "../../api.js";
import { dialled, timeIn } from "../../format.js";
import { quarter } from "../../clock.js";
import { neverWords, waitingWords } from "../../gate_words.js";
import { ContactPage } from "../../ops.js";
import { FINISHED, LIVE } from "../../states.js";
import { Copy, Dialog, Id, Moment, Skeleton, State, Time, Trouble } from "../../ui.js";
import { Attempt } from "./drawer/attempt.js";
import { ContactActions } from "./contact_actions.js";

/** @typedef {NonNullable<import("../../ops.js").ContactPageData["contact"]>} Contact */
/** @typedef {Contact["calls"][number]} Call */

/**
 * @param {{
 *   id: string,
 *   now: () => { position: number, state: import("../campaign/campaign.js").Campaign["state"] },
 *   useUpdates: import("../campaign/campaign.js").Feed,
 *   decision: import("../campaign/campaign.js").Campaign["lastDecision"],
 *   onClose: () => void,
 * }} props
 */
export function Drawer({ id, now, useUpdates, decision, onClose }) {
  const read = useQuery(ContactPage, { id });
  const again = useThrottled(read.reload, 700);
  const contact = read.data?.contact ?? null;
  const open = contact?.calls.some((call) => LIVE.has(call.status) || call.cost == null);
  useUpdates((contacts) => contacts.some((one) => one.id === id) && again());
  const { position, state } = now();
  useEffect(() => {
    if (open) again();
  }, [position]);
  const title = contact ? contact.name || "Erased contact" : read.data ? "No such contact" : "Contact";
  return html`<${Dialog} side title=${title} onClose=${onClose}>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!read.data && !read.error && html`<${Skeleton} />`}
    ${
      contact &&
      html`<${Person} contact=${contact} />
        <${Waiting} contact=${contact} decision=${decision} />
        <${ContactActions} contact=${contact} isFinished=${FINISHED.has(state)} reload=${read.reload} />
        <${Attempts} contact=${contact} />`
    }
  <//>`;
}

/** All calls, newest first, after the planned one. @param {{ contact: Contact }} props */
function Attempts({ contact }) {
  if (!contact.calls.length && !contact.nextAttemptAt) return html`<p class="quiet">Not called yet.</p>`;
  return html`<section aria-labelledby="attempts">
    <h3 id="attempts">Attempts</h3>
    <ol class="attempts">
      ${
        contact.nextAttemptAt && html`<li class="planned">Next call${" "}<${Moment} at=${contact.nextAttemptAt} /></li>`
      }
      ${[...contact.calls]
        .reverse()
        .map((call, i) => html`<li key=${call.id}><${Attempt} call=${call} open=${i === 0} /></li>`)}
    </ol>
  </section>`;
}

/**
 * Why the contact waits or is never called, and until when.
 * @param {{ contact: Contact, decision: import("../campaign/campaign.js").Campaign["lastDecision"] }} props
 */
function Waiting({ contact, decision }) {
  if (contact.withheld)
    return html`<div class="banner" data-kind="warn">
      <p><b>Not called any more:</b>${` ${neverWords(contact.withheld)}.`}</p>
    </div>`;
  const { waitingFor } = contact;
  if (contact.status !== "PENDING" || !waitingFor) return null;
  const until = contact.nextAttemptAt ?? decision?.reasons.find((one) => one.code === waitingFor)?.until;
  return html`<div class="banner" data-kind="info">
    <p><b>Waits:</b>${` ${waitingWords(waitingFor)}`}${until ? html`, until <${Moment} at=${until} />` : ""}.</p>
  </div>`;
}

/** @param {{ contact: Contact }} props */
function Person({ contact }) {
  const variables = Object.entries(contact.variables ?? {});
  return html`<dl class="facts">
    <dt>Status</dt>
    <dd><${State} value=${contact.status} /></dd>
    ${
      contact.businessName &&
      html`<dt>Business</dt>
        <dd>${contact.businessName}</dd>`
    }
    <dt>Number</dt>
    <dd>
      ${
        contact.erasedAt
          ? html`erased <${Time} at=${contact.erasedAt} />`
          : html`<span class="id"
              ><span class="num">${dialled(contact)}</span><${Copy} text=${dialled(contact)} label="Number"
            /></span>`
      }
    </dd>
    ${
      contact.places.length > 0 &&
      html`<dt>Place</dt>
        <dd>${contact.places.join(", ")}</dd>`
    }
    ${
      contact.timeZones.length > 0 &&
      html`<dt>Time there now</dt>
        <dd>${contact.timeZones.map((zone) => html`<div key=${zone}>${timeIn(zone, quarter.value)}</div>`)}</dd>`
    }
    ${variables.map(
      ([name, value]) =>
        html`<dt key=${name}>${name}</dt>
          <dd>${String(value)}</dd>`,
    )}
    <dt>Contact id</dt>
    <dd><${Id} id=${contact.id} label="Contact id" /></dd>
  </dl>`;
}
