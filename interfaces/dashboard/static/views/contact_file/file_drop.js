// @ts-check
import { html, useEffect, useState } from "../../lib.js";
import { useContactFile, withRole } from "../../contact_file.js";
import { share } from "../../format.js";
import { Action, Icon, Skeleton } from "../../ui.js";
import { ColumnChoice } from "./column_choice.js";
import { FileReport } from "./file_report.js";
import { SheetChoice } from "./read_choices.js";

/** @typedef {import("../../contact_file.js").State} State */

const LABEL = "Drop a CSV file or a workbook here, or choose one";
const TEMPLATE =
  "name,business_name,phone,city\r\n" +
  "Ada Lovelace,Analytical Engines,+14155550123,Oakland\r\n" +
  "Grace Hopper,,+442079460123,London\r\n";

function template() {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([TEMPLATE], { type: "text/csv" }));
  anchor.download = "contacts-template.csv";
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
}

/** @param {DragEvent} event */
const stop = (event) => event.preventDefault();

/** While it is used, a file that is dropped elsewhere on the page does not replace the page. */
function useHarmlessDrops() {
  useEffect(() => {
    document.addEventListener("dragover", stop);
    document.addEventListener("drop", stop);
    return () => {
      document.removeEventListener("dragover", stop);
      document.removeEventListener("drop", stop);
    };
  }, []);
}

/**
 * Takes a contact file, shows what was understood of it and reads it again with the user's choices.
 * @param {{
 *   place: string,
 *   onUpload: (upload: import("../../contact_file.js").Upload | null) => void,
 * }} props `place` is where the file is kept in this browser
 */
export function FileDrop({ place, onUpload }) {
  const { state, choose, change, again } = useContactFile(place, onUpload);
  const [over, setOver] = useState(false);
  useHarmlessDrops();
  if (!state.restored) return html`<${Skeleton} rows=${3} />`;
  /** @param {boolean} isOver */
  const drag = (isOver) => (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(isOver);
  };
  /** @param {DragEvent} event */
  const dropped = (event) => {
    drag(false)(event);
    choose(event.dataTransfer?.files[0]);
  };
  return html`<div
    class=${state.file ? "stack chosen" : "drop"}
    data-over=${over ? "" : null}
    onDrop=${dropped}
    onDragOver=${drag(true)}
    onDragLeave=${drag(false)}
  >
    ${state.file ? html`<${Chosen} ...${{ state, choose, change, again }} />` : html`<${Nothing} choose=${choose} />`}
  </div>`;
}

/** @param {{ choose: (file: File | undefined) => void }} props */
const Nothing = ({ choose }) =>
  html`<span class="empty-icon"><${Icon} name="upload" /></span>
    <label for="file"><b>${LABEL}</b></label>
    <${FileInput} choose=${choose} />
    <p class="hint">
      Columns are recognised by their names, such as First Name, Company or Mobile. Only a phone column is needed; other
      columns go to the assistant as variables.
    </p>
    <${Action} kind="ghost" icon="download" onPress=${async () => template()}>Download a template<//>`;

/** @param {{ choose: (file: File | undefined) => void }} props */
function FileInput({ choose }) {
  /** @param {{ currentTarget: HTMLInputElement }} event */
  const chosen = ({ currentTarget }) => {
    choose(currentTarget.files?.[0]);
    currentTarget.value = ""; // The same file may be chosen again after it was changed.
  };
  return html`<input
    id="file"
    type="file"
    accept=".csv,.tsv,.txt,.xlsx,.xls,.xlsm,.xlsb,.ods,text/csv"
    onChange=${chosen}
  />`;
}

/**
 * @param {{
 *   state: State,
 *   choose: (file: File | undefined) => void,
 *   change: (change: Partial<import("../../contact_file.js").Choices>) => void,
 *   again: () => void,
 * }} props
 */
function Chosen({ state, choose, change, again }) {
  const { file, choices, upload, refusal, part } = state;
  /** @param {string} column @param {string} role */
  const use = (column, role) => change({ roles: withRole(choices.roles, column, role) });
  const needed = !upload && refusal?.code === "MAPPING_NEEDED" ? refusal.details : null;
  return html`<div class="row between">
      <b>${file?.name}</b>
      <label class="button another">Choose another file<${FileInput} choose=${choose} /></label>
    </div>
    ${part !== null && html`<${Sending} size=${file?.size ?? 0} part=${part} />`}
    ${
      refusal &&
      !needed &&
      html`<div class="banner" data-kind="bad" role="alert">
        <${Icon} name="warning" />
        <p>${refusal.message}</p>
        ${!upload && html`<button type="button" onClick=${again}>Read it again</button>`}
      </div>`
    }
    ${
      !upload &&
      refusal?.details.sheets?.length &&
      html`<${SheetChoice}
        sheet=${refusal.details.sheet ?? ""}
        sheets=${refusal.details.sheets}
        onChoose=${(/** @type {string} */ sheet) => change({ sheet, roles: {} })}
      />`
    }
    ${needed && html`<${ColumnChoice} details=${needed} roles=${choices.roles} onUse=${use} busy=${part !== null} />`}
    ${upload && html`<${FileReport} ...${{ upload, choices, change, use }} busy=${part !== null} />`}`;
}

/** @param {{ size: number, part: number }} props */
const Sending = ({ size, part }) =>
  html`<div role="status">
    <p class="hint num">
      ${part < 1 ? `Sending: ${share(part, 1)} of` : "Reading"}${" "}
      ${size > 1e6 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.ceil(size / 1000)} KB`}
    </p>
    <div
      class="gauge"
      role="progressbar"
      aria-label="Sending the file"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(part * 100)}
    >
      <i style=${{ width: `${part * 100}%` }}></i>
    </div>
  </div>`;
