// @ts-check
import { html, useState } from "../../lib.js";
import { useQuery } from "../../api.js";
import { words } from "../../format.js";
import { ExportColumns } from "../../ops.js";
import { Dialog, Field, Icon, Skeleton, Trouble } from "../../ui.js";
import { DISPOSITIONS } from "./contact_actions.js";
import { CALL_OUTCOMES, STATUSES } from "./contact_values.js";
import { addressOf, EVERYTHING } from "./export_address.js";

/** @typedef {import("./export_address.js").Choice} Choice */
/** @typedef {(change: Partial<Choice>) => void} Set */
/** @typedef {{ currentTarget: HTMLInputElement & HTMLSelectElement }} Input */

const FORMATS = /** @type {const} */ ([
  ["csv", "CSV"],
  ["excel", "CSV for Excel"],
  ["jsonl", "JSON lines: everything, with all calls"],
]);
const COLUMNS = /** @type {const} */ ([
  ["standard", "The standard columns"],
  ["all", "All columns, with those of the file and the outputs"],
  ["chosen", "Chosen columns"],
]);

/** Chooses what an export contains, and downloads it. @param {import("../campaign/controls.js").Asked} props */
export function ExportDialog({ campaign, onClose }) {
  const [choice, setChoice] = useState(EVERYTHING);
  const set = (/** @type {Partial<Choice>} */ change) => setChoice((old) => ({ ...old, ...change }));
  const isEmpty = choice.columns === "chosen" && !choice.names.length;
  const isDisabled = choice.format !== "jsonl" && (isEmpty || isReversed(choice));
  return html`<${Dialog} title="Export the results" onClose=${onClose}>
    <div class="form">
      <${Field} label="Format">${select(FORMATS, "format", choice, set)}<//>
      ${choice.format !== "jsonl" && html`<${Field} label="Columns">${select(COLUMNS, "columns", choice, set)}<//>`}
    </div>
    ${
      choice.format !== "jsonl" &&
      html`${choice.columns === "chosen" && html`<${Names} id=${campaign.id} choice=${choice} set=${set} />`}
        <${Chips} label="Only with the status" values=${STATUSES} name="statuses" choice=${choice} set=${set} />
        <${Chips} label="Only with the outcome" values=${CALL_OUTCOMES} name="outcomes" choice=${choice} set=${set} />
        <${Chips}
          label="Only with the disposition"
          values=${DISPOSITIONS}
          name="dispositions"
          choice=${choice}
          set=${set}
        />
        <${Dates} choice=${choice} set=${set} />
        <label class="tick"
          ><input
            type="checkbox"
            checked=${choice.ownLinks}
            onChange=${(/** @type {Input} */ e) => set({ ownLinks: e.currentTarget.checked })}
          /><span
            >Link recordings through AutoLynx<span>Such links work when those of the provider have expired.</span></span
          ></label
        >`
    }
    <footer>
      <button type="button" onClick=${onClose}>Close</button>
      ${
        isDisabled
          ? html`<button type="button" class="primary" disabled>Download</button>`
          : html`<a
              class="button primary"
              href=${addressOf(campaign, choice)}
              download
              onClick=${() => setTimeout(onClose)}
            >
              <${Icon} name="download" />Download
            </a>`
      }
    </footer>
  <//>`;
}

/**
 * The input of a field.
 * @param {readonly (readonly [string, string])[]} options
 * @param {"format" | "columns"} name
 * @param {Choice} choice
 * @param {Set} set
 */
const select = (options, name, choice, set) => (/** @type {any} */ a) =>
  html`<select
    ...${a}
    value=${choice[name]}
    onChange=${(/** @type {Input} */ e) => set({ [name]: e.currentTarget.value })}
  >
    ${options.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
  </select>`;

/** All columns of the campaign to choose from. @param {{ id: string, choice: Choice, set: Set }} props */
function Names({ id, choice, set }) {
  const read = useQuery(ExportColumns, { id });
  const names = read.data?.campaign?.exportColumns;
  if (read.error) return html`<${Trouble} error=${read.error} again=${read.reload} />`;
  if (!names) return html`<${Skeleton} rows=${3} />`;
  // In the order of the list, whatever the order of the clicks.
  const turn = (/** @type {string} */ name) =>
    set({ names: names.filter((one) => (one === name) !== choice.names.includes(one)) });
  return html`<fieldset>
    <legend>Columns</legend>
    <div class="chips">
      ${names.map(
        (name) =>
          html`<button
            type="button"
            key=${name}
            aria-pressed=${choice.names.includes(name)}
            onClick=${() => turn(name)}
          >
            ${name}
          </button>`,
      )}
    </div>
  </fieldset>`;
}

/**
 * @param {{
 *   label: string,
 *   values: readonly string[],
 *   name: "statuses" | "outcomes" | "dispositions",
 *   choice: Choice,
 *   set: Set,
 * }} props
 */
const Chips = ({ label, values, name, choice, set }) =>
  html`<fieldset>
    <legend>${label}</legend>
    <div class="chips">
      ${values.map(
        (value) =>
          html`<button
            type="button"
            key=${value}
            aria-pressed=${choice[name].includes(value)}
            onClick=${() => set({ [name]: values.filter((one) => (one === value) !== choice[name].includes(one)) })}
          >
            ${words(value)}
          </button>`,
      )}
    </div>
  </fieldset>`;

/** Whether the last day precedes the first one, so that no contact could be exported. @param {Choice} choice */
const isReversed = ({ from, to }) => Boolean(from && to && to < from);

/** Days of the latest call, in the viewer's time. @param {{ choice: Choice, set: Set }} props */
const Dates = ({ choice, set }) =>
  html`<div class="form">
    ${
      /** @type {const} */ ([
        ["from", "Last called from"],
        ["to", "Last called until, inclusive"],
      ]).map(
        ([name, label]) =>
          html`<${Field}
            key=${name}
            label=${label}
            error=${name === "to" && isReversed(choice) ? "This day precedes the first one." : ""}
            >${(/** @type {any} */ a) =>
              html`<input
                ...${a}
                type="date"
                value=${choice[name]}
                onInput=${(/** @type {Input} */ e) => set({ [name]: e.currentTarget.value })}
              />`}<//
          >`,
      )
    }
  </div>`;
