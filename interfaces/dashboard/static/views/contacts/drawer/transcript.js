// @ts-check
import { html, useState } from "../../../lib.js";
import { count, counted, duration, words } from "../../../format.js";

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
export function Transcript({ transcript, at, seek }) {
  const [search, setSearch] = useState("");
  const turns = turnsOf(transcript);
  if (!turns.length) return null;
  const wanted = search.trim().toLowerCase();
  const hits = wanted ? turns.filter((turn) => turn.text.toLowerCase().includes(wanted)).length : 0;
  const current = at < 0 ? -1 : turns.findLastIndex((turn) => turn.from != null && turn.from <= at + 0.2);
  return html`<section>
    <div class="row between">
      <h3>Transcript</h3>
      <input
        type="search"
        class="narrow"
        aria-label="Search the transcript"
        placeholder="Search the transcript"
        value=${search}
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setSearch(e.currentTarget.value)}
      />
    </div>
    <p class="hint" role="status">
      ${wanted && `${count(hits)} of ${counted(turns.length, "turn")} ${hits === 1 ? "contains" : "contain"} it`}
    </p>
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
            <${Marked} text=${turn.text} wanted=${wanted} />
          </li>`,
      )}
    </ol>
  </section>`;
}

/** The text with each occurrence of `wanted` marked. @param {{ text: string, wanted: string }} props */
function Marked({ text, wanted }) {
  if (!wanted) return text;
  const parts = [];
  let from = 0;
  for (let at = indexOf(text, wanted, 0); at >= 0; at = indexOf(text, wanted, from)) {
    parts.push(text.slice(from, at), html`<mark>${text.slice(at, at + wanted.length)}</mark>`);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}

/** @param {string} text @param {string} wanted lower case @param {number} from */
const indexOf = (text, wanted, from) => text.toLowerCase().indexOf(wanted, from);
