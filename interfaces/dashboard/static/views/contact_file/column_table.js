// @ts-check
import { html, useState } from "../../lib.js";
import { count } from "../../format.js";

/** `role` is empty while it is not known. @typedef {{ column: string, role: string, cells: string[] }} Column */

const ROLES = /** @type {const} */ ([
  ["PHONE", "Phone number"],
  ["NAME", "Full name"],
  ["FIRST_NAME", "First name"],
  ["LAST_NAME", "Last name"],
  ["BUSINESS_NAME", "Business"],
  ["TIME_ZONE", "Time zone"],
  ["COUNTRY", "Country"],
  ["SUBDIVISION", "State or province"],
  ["POSTAL_CODE", "Postal code"],
  ["CONSENT_AT", "Date of consent"],
  ["CONSENT_SOURCE", "Source of consent"],
  ["EXTERNAL_ID", "Your own id"],
  ["VARIABLE", "Variable"],
  ["IGNORED", "Not used"],
]);
/** Columns that are shown at first. */
const FIRST = 30;
const CELLS = 3;

/**
 * The columns of a file, one per row: its use, which can be changed, and its first values.
 * @param {{
 *   columns: Column[],
 *   heads: string[],
 *   onUse: (column: string, role: string) => void,
 *   busy: boolean,
 * }} props
 */
export function ColumnTable({ columns, heads, onUse, busy }) {
  const [all, setAll] = useState(false);
  const shown = all ? columns : columns.slice(0, FIRST);
  const headings = heads.slice(0, CELLS);
  const names = columns.map(({ column }) => column.toLowerCase());
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Columns of the file" aria-busy=${busy}>
      <table class="table mapping">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Used as</th>
            ${headings.map(
              (heading, at) => html`<th key=${heading} scope="col" class=${at ? "wide" : ""}>${heading}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (one, at) =>
              html`<tr key=${at}>
                <th scope="row">${one.column || html`<span class="quiet">column ${at + 1}</span>`}</th>
                <td>
                  <${Use} ...${one} onUse=${onUse} unique=${names.filter((name) => name === names[at]).length === 1} />
                </td>
                ${headings.map(
                  (heading, i) => html`<td key=${heading} class=${i ? "wide cell" : "cell"}>${one.cells[i]}</td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      shown.length < columns.length &&
      html`<button type="button" class="ghost" onClick=${() => setAll(true)}>
        Show all ${count(columns.length)} columns
      </button>`
    }`;
}

/** @param {Column & { unique: boolean, onUse: (column: string, role: string) => void }} props */
function Use({ column, role, unique, onUse }) {
  if (!column || !unique)
    return html`<span class="quiet" title="Give the column a name of its own to use it differently."
      >${ROLES.find(([value]) => value === role)?.[1] ?? "–"}</span
    >`;
  return html`<select
    aria-label=${`Use of the column ${column}`}
    value=${role}
    onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => onUse(column, e.currentTarget.value)}
  >
    ${!role && html`<option value="">Choose…</option>`}
    ${ROLES.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
  </select>`;
}
