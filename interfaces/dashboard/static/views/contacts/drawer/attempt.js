// @ts-check
import { html, useRef, useState } from "../../../lib.js";
import { absolute, duration, endedReason, price, timeOfDay, words } from "../../../format.js";
import { Icon, Id, State, Timer } from "../../../ui.js";
import { Outputs, Permit } from "./permit.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("../drawer.js").Call} Call */

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

/** @param {{ call: Call, open: boolean }} props */
export function Attempt({ call, open }) {
  const audio = useRef(/** @type {HTMLAudioElement | null} */ (null));
  const [at, setAt] = useState(-1);
  return html`<details class="attempt" open=${open}>
    <summary>
      <b>Attempt ${call.attempt}</b>${
        call.outcome ? html`<span class="tag">${words(call.outcome)}</span>` : html`<${State} value=${call.status} />`
      }${call.disposition && html`<span class="tag">${words(call.disposition)}</span>`}<span class="push"></span>${
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
      <${Permit} permit=${call.permit} />
      ${
        call.summary &&
        html`<section>
          <h3>Summary</h3>
          <p>${call.summary}</p>
        </section>`
      }
      <${Outputs} outputs=${call.structuredOutputs} />
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
        ${
          call.ringSeconds != null &&
          html`<dt>Rang for</dt>
            <dd class="num">${duration(call.ringSeconds)}</dd>`
        }
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
      <${Icon} name="warning" /> The recording cannot be played here.${" "}
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
