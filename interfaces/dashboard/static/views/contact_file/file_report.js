// @ts-check
import { html } from "../../lib.js";
import { count, regionName, words } from "../../format.js";
import { Icon } from "../../ui.js";
import { ColumnTable } from "./column_table.js";
import { RegionChoice, SheetChoice } from "./read_choices.js";
import { Rejects } from "./rejects.js";

/** @typedef {import("../../contact_file.js").Upload} Upload */
/** @typedef {import("../../contact_file.js").SampleRow} SampleRow */

/**
 * What was understood of a contact file, with the choices that change it.
 * @param {{
 *   upload: Upload,
 *   choices: import("../../contact_file.js").Choices,
 *   change: (change: Partial<import("../../contact_file.js").Choices>) => void,
 *   use: (column: string, role: string) => void,
 *   busy: boolean,
 * }} props
 */
export function FileReport({ upload, choices, change, use, busy }) {
  const { report, sample } = upload;
  const heads = sample.map(({ row }) => `Row ${row}`);
  return html`<div class="stack report" data-busy=${busy ? "" : null}>
    <div class="tally" role="status">
      <div><b>${count(report.accepted)}</b><${Mark} good=${report.accepted > 0} /> accepted</div>
      <div><b>${count(report.skippedCount)}</b>${report.skippedCount ? html`<${Mark} />` : ""} skipped</div>
    </div>
    ${upload.warnings.map(
      (text) =>
        html`<div key=${text} class="banner" data-kind="warn">
          <${Icon} name="warning" />
          <p>${text}</p>
        </div>`,
    )}
    <div class="form">
      <${RegionChoice} region=${upload.region} onChoose=${(/** @type {string} */ region) => change({ region })} />
      ${
        upload.sheets.length > 1 &&
        html`<${SheetChoice}
          sheet=${upload.sheet ?? ""}
          sheets=${upload.sheets}
          onChoose=${(/** @type {string} */ sheet) => change({ sheet, roles: {} })}
        />`
      }
    </div>
    <section class="stack" aria-labelledby="columns">
      <div class="row between">
        <h3 id="columns">Columns</h3>
        ${
          Object.keys(choices.roles).length > 0 &&
          html`<button type="button" class="ghost" onClick=${() => change({ roles: {} })}>
            Undo my changes of the columns
          </button>`
        }
      </div>
      <${ColumnTable} columns=${columnsOf(upload)} heads=${heads} onUse=${use} busy=${busy} />
    </section>
    ${sample.length > 0 && html`<${People} sample=${sample} />`}
    <${Numbers} upload=${upload} />
    ${report.skippedCount > 0 && html`<${Rejects} report=${report} />`}
  </div>`;
}

/** @param {{ good?: boolean }} props */
const Mark = ({ good }) => html`<${Icon} name=${good ? "check" : "warning"} />`;

/** The contacts of the first rows. @param {{ sample: SampleRow[] }} props */
const People = ({ sample }) =>
  html`<section class="stack" aria-labelledby="people">
    <h3 id="people">First contacts</h3>
    <ul class="people">
      ${sample.map(
        ({ row, name, businessName, phone, places, timeZones }) =>
          html`<li key=${row}>
            <b>${name || businessName || phone}</b>
            <span class="num">${phone}</span>
            <span class="quiet">${[name && businessName, ...places, ...timeZones].filter(Boolean).join(" · ")}</span>
          </li>`,
      )}
    </ul>
  </section>`;

/** The accepted numbers by country and kind. @param {{ upload: Upload }} props */
const Numbers = ({ upload }) =>
  upload.countries.length > 0 &&
  html`<dl class="facts numbers">
    <dt>Countries</dt>
    <dd>${upload.countries.map((one) => `${regionName(one.country)} ${count(one.contacts)}`).join(" · ")}</dd>
    <dt>Kinds of numbers</dt>
    <dd>${upload.kinds.map((one) => `${words(one.kind)} ${count(one.contacts)}`).join(" · ")}</dd>
  </dl>`;

/** @param {Upload} upload @returns {import("./column_table.js").Column[]} */
function columnsOf({ mapping, sample }) {
  const names = variableNames(mapping);
  return mapping.map(({ column, role }, at) => ({
    column,
    role,
    cells: sample.map((row) => cellOf(row, role, names[at] ?? "")),
  }));
}

/** @param {SampleRow} row @param {string} role @param {string} name */
function cellOf(row, role, name) {
  if (role === "NAME") return row.name;
  if (role === "BUSINESS_NAME") return row.businessName;
  if (role === "PHONE") return row.phone;
  return row.variables[name] ?? "";
}

/**
 * The variable of each column: repeated names are numbered, columns without a name are column_N.
 * @param {Upload["mapping"]} mapping
 */
function variableNames(mapping) {
  const taken = new Set(mapping.map(({ column }) => column));
  const given = new Set();
  return mapping.map(({ column, role }, at) => {
    if (["NAME", "BUSINESS_NAME", "PHONE", "IGNORED"].includes(role)) return "";
    const own = column || `column_${at + 1}`;
    let name = own;
    for (let times = 2; given.has(name) || (name !== own && taken.has(name)); times += 1) name = `${own}_${times}`;
    given.add(name);
    return name;
  });
}
