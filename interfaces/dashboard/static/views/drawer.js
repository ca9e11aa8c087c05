// @ts-check
import { html, useEffect, useRef, useState } from "../lib.js";
import { useQuery, useThrottled } from "../api.js";
import { absolute, dialled, duration, endedReason, price, timeOfDay, words } from "../format.js";
import { ContactPage } from "../ops.js";
import { LIVE } from "../states.js";
import { Copy, Dialog, Icon, Id, Skeleton, State, Time, Timer, Trouble } from "../ui.js";
import { ContactActions } from "./contact_actions.js";

/** @typedef {NonNullable<import("../ops.js").ContactPageData["contact"]>} Contact */
/** @typedef {Contact["calls"][number]} Call */

/** Descriptions of events. @type {Record<string, (payload: any) => string>} */
const FACTS = {
  "call.created": (p) => `Claimed by the scheduler, attempt ${p.attempt ?? 1}`,
  "call.requeued": () => "Claimed again",
  "call.requested": (p) => `Requested at the provider${p.number > 1 ? `, request ${p.number}` : ""}`,
  "call.placed": () => "The provider accepted the call",
  "call.deferred": (p) => `Put off: ${words(p.reason ?? "")}`,
  "call.outcome_unknown": () => "No clear answer from the provider; the call is being looked up",
  "call.rejected": () => "The provider refuses this contact",
  "call.ringing": () => "Ringing",
  "call.answered": () => "Picked up",
  "call.ended": (p) => `Ended: ${endedReason(p.reason) || "no reason given"}`,
  "call.reported": (p) => `Report received${p.cost == null ? "" : `, cost ${price(String(p.cost))}`}`,
  "call.confirmed": (p) => `Asked the provider: ${words(p.provider_status ?? "")}`,
  "call.message_received": (p) => `Message: ${words(p.type ?? "")}`,
  "call.hang_up_requested": () => "Hang-up requested",
  "call.duplicate_detected": () => "A second call of this attempt was detected",
  "call.timed_out": () => "No event for too long: timed out",
  "call.failed": () => "Failed",
  "call.canceled": () => "Canceled",
};

/**
 * @param {{
 *   id: string,
 *   now: () => { position: number },
 *   useUpdates: import("./campaign.js").Feed,
 *   onClose: () => void,
 * }} props
 */
export function Drawer({ id, now, useUpdates, onClose }) {
  const read = useQuery(ContactPage, { id });
  const again = useThrottled(read.reload, 700);
  const contact = read.data?.contact ?? null;
  const open = contact?.calls.some((call) => LIVE.has(call.status) || call.cost == null);
  useUpdates((contacts) => contacts.some((one) => one.id === id) && again());
  const { position } = now();
  useEffect(() => {
    if (open) again();
  }, [position]);
  const title = contact ? contact.name || "Erased contact" : read.data ? "No such contact" : "Contact";
  return html`<${Dialog} side title=${title} onClose=${onClose}>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!read.data && !read.error && html`<${Skeleton} />`}
    ${
      contact &&
      html`<${Person} contact=${contact} /> <${ContactActions} contact=${contact} reload=${read.reload} /> ${
          contact.calls.length
            ? [...contact.calls]
                .reverse()
                .map((call, i) => html`<${Attempt} key=${call.id} call=${call} open=${i === 0} />`)
            : html`<p class="quiet">Not called yet.</p>`
        }`
    }
  <//>`;
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
    ${variables.map(
      ([name, value]) =>
        html`<dt key=${name}>${name}</dt>
          <dd>${String(value)}</dd>`,
    )}
    <dt>Contact id</dt>
    <dd><${Id} id=${contact.id} label="Contact id" /></dd>
  </dl>`;
}

/** @param {{ call: Call, open: boolean }} props */
function Attempt({ call, open }) {
  const audio = useRef(/** @type {HTMLAudioElement | null} */ (null));
  const [at, setAt] = useState(-1);
  return html`<details class="attempt" open=${open}>
    <summary>
      <b>Attempt ${call.attempt}</b><${State} value=${call.status} /> <span class="push"></span>${
        call.startedAt &&
        html`<span class="num"
          >${
            call.durationSeconds == null
              ? html`<${Timer} since=${call.startedAt} until=${call.endedAt} />`
              : duration(call.durationSeconds)
          }</span
        >`
      }<span class="num">${price(call.cost)}</span>
    </summary>
    <div>
      ${
        call.endedReason &&
        html`<p><b>${endedReason(call.endedReason)}</b> <code class="quiet">${call.endedReason}</code></p>`
      }
      ${call.endedMessage && html`<p>The provider says: ${call.endedMessage}</p>`}
      ${call.recordingUrl && html`<${Player} call=${call} audio=${audio} onTime=${setAt} />`}
      ${
        call.transcript != null &&
        html`<${Transcript}
          transcript=${call.transcript}
          at=${at}
          seek=${call.recordingUrl ? (/** @type {number} */ s) => seek(audio.current, s) : null}
        />`
      }
      <section>
        <h3>What happened</h3>
        <ol class="timeline">
          ${call.events.map(
            (event) =>
              html`<li key=${event.position}>
                <span>${(FACTS[event.type] ?? (() => words(event.type)))(event.payload ?? {})}</span
                ><time datetime=${event.occurredAt} title=${absolute(event.occurredAt)}
                  >${timeOfDay(event.occurredAt)}</time
                ><span class="quiet">${event.type} · ${event.actor}</span>
              </li>`,
          )}
        </ol>
      </section>
      <dl class="facts">
        <dt>Call id</dt>
        <dd><${Id} id=${call.id} label="Call id" /></dd>
        ${
          call.providerCallId &&
          html`<dt>Provider's id</dt>
            <dd><${Id} id=${call.providerCallId} label="Provider's call id" /></dd>`
        }
      </dl>
    </div>
  </details>`;
}

/** @param {HTMLAudioElement | null} audio @param {number} seconds */
function seek(audio, seconds) {
  if (!audio) return;
  audio.currentTime = seconds;
  audio.play().catch(() => {});
}

/** @param {{ call: Call, audio: { current: HTMLAudioElement | null }, onTime: (seconds: number) => void }} props */
function Player({ call, audio, onTime }) {
  const [gone, setGone] = useState(false);
  /** @param {KeyboardEvent & { currentTarget: HTMLElement }} event */
  const pressed = (event) => {
    const step = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
    if (!audio.current || !step || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    audio.current.currentTime += step;
  };
  if (gone)
    return html`<p class="quiet">
      <${Icon} name="warning" /> The recording cannot be played here.
      <a href=${`/calls/${call.id}/recording`} data-server="1">Open it</a>.
    </p>`;
  return html`<section>
    <h3>Recording</h3>
    <div class="player" onKeyDown=${pressed}>
      <audio
        ref=${audio}
        controls
        preload="none"
        aria-label="Recording of the call"
        src=${`/calls/${call.id}/recording`}
        onError=${() => setGone(true)}
        onTimeUpdate=${(/** @type {{ currentTarget: HTMLAudioElement }} */ e) => onTime(e.currentTarget.currentTime)}
      ></audio>
      <select
        aria-label="Speed"
        onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
          audio.current && (audio.current.playbackRate = Number(e.currentTarget.value))}
      >
        ${[0.75, 1, 1.25, 1.5, 2].map(
          (rate) => html`<option key=${rate} value=${rate} selected=${rate === 1}>${rate}×</option>`,
        )}
      </select>
    </div>
  </section>`;
}

/** @typedef {{ speaker: string, text: string, from: number | null }} Turn */
/** @type {Record<string, string>} */
const SPEAKERS = { bot: "assistant", assistant: "assistant", user: "customer", customer: "customer" };

/** The transcript as turns, without instructions to the model. @param {unknown} transcript @returns {Turn[]} */
function turnsOf(transcript) {
  if (typeof transcript === "string")
    return transcript
      .split("\n")
      .filter(Boolean)
      .map((line) => lineTurn(line));
  if (!Array.isArray(transcript)) return [];
  return transcript
    .filter((one) => one && SPEAKERS[one.role] && (one.message ?? one.content))
    .map((one) => ({
      speaker: /** @type {string} */ (SPEAKERS[one.role]),
      text: String(one.message ?? one.content),
      from: typeof one.secondsFromStart === "number" ? one.secondsFromStart : null,
    }));
}

/** @param {string} line @returns {Turn} */
function lineTurn(line) {
  const [, who = "", text = line] = /^(AI|User|Assistant|Customer|Bot): (.*)$/i.exec(line) ?? [];
  return { speaker: /^(user|customer)$/i.test(who) ? "customer" : "assistant", text, from: null };
}

/** @param {{ transcript: unknown, at: number, seek: ((seconds: number) => void) | null }} props */
function Transcript({ transcript, at, seek }) {
  const turns = turnsOf(transcript);
  if (!turns.length) return null;
  const current = at < 0 ? -1 : turns.findLastIndex((turn) => turn.from != null && turn.from <= at + 0.2);
  return html`<section>
    <h3>Transcript</h3>
    <ol class="turns">
      ${turns.map(
        (turn, i) =>
          html`<li key=${i} class="turn" data-speaker=${turn.speaker} data-now=${i === current ? "" : null}>
            <div class="turn-head">
              <b>${words(turn.speaker)}</b>${
                turn.from != null &&
                (seek
                  ? html`<button
                      type="button"
                      class="ghost"
                      aria-label=${`Play from ${duration(turn.from)}`}
                      onClick=${() => seek(turn.from ?? 0)}
                    >
                      ${duration(turn.from)}
                    </button>`
                  : html`<span class="num">${duration(turn.from)}</span>`)
              }
            </div>
            ${turn.text}
          </li>`,
      )}
    </ol>
  </section>`;
}
