// @ts-check
import { html, useRef, useState } from "../lib.js";
import { upload } from "../api.js";
import { count, rowList, share, words } from "../format.js";
import { Action, Icon } from "../ui.js";

/** @typedef {{ row: number, reason: string, message: string }} Skipped */
/** @typedef {{ accepted: number, skippedCount: number, rejectsNotKept: number }} Tally */
/**
 * @typedef {{
 *   id: string,
 *   filename: string,
 *   columns: string[],
 *   report: Tally & { skipped: Skipped[], rejectsUrl: string | null },
 *   expiresAt: string,
 * }} Upload
 */

const TEMPLATE =
  "name,business_name,phone,city\r\n" +
  "Ada Lovelace,Analytical Engines,+14155550123,Oakland\r\n" +
  "Grace Hopper,,+442079460123,London\r\n";

/** How to fix each reason. @type {Record<string, string>} */
const REPAIRS = {
  MISSING_NAME: "The name is empty. Fill it in, or leave these rows out.",
  MISSING_PHONE: "The phone number is empty.",
  INVALID_PHONE:
    "The cell must be one valid phone number and nothing else. A number without + is read " +
    "in the default region: add the country code, or choose another region.",
  DUPLICATE_IN_FILE: "An earlier row has the same number and is used.",
  DUPLICATE_IN_CAMPAIGN: "The campaign already has this number.",
  MALFORMED_ROW: "The row has more fields than the header, or text that cannot be read. Look for missing quotes.",
  INVALID_VALUE: "A time zone, country, state, postal code or consent date is not valid. Correct it or empty the cell.",
  ERASED: "This person was erased and is not called.",
};

function template() {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([TEMPLATE], { type: "text/csv" }));
  anchor.download = "contacts-template.csv";
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
}

/**
 * Uploads a file and shows its report.
 * @param {{ region: string, uploaded: Upload | null, onUpload: (upload: Upload | null) => void }} props
 */
export function FileDrop({ region, uploaded, onUpload }) {
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(/** @type {{ name: string, size: number, part: number } | null} */ (null));
  const [wrong, setWrong] = useState("");
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  /** @param {File | undefined} file */
  const take = async (file) => {
    if (!file) return;
    setWrong("");
    onUpload(null);
    setSending({ name: file.name, size: file.size, part: 0 });
    try {
      onUpload(await upload(file, region, (part) => setSending({ name: file.name, size: file.size, part })));
    } catch (error) {
      setWrong(/** @type {Error} */ (error).message);
    } finally {
      setSending(null);
      if (input.current) input.current.value = "";
    }
  };
  /** @param {DragEvent} event */
  const dropped = (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files[0]);
  };
  /** @param {DragEvent} event */
  const dragged = (event) => {
    event.preventDefault();
    setOver(true);
  };
  if (uploaded) return html`<${Report} uploaded=${uploaded} onOther=${() => onUpload(null)} />`;
  return html`<div
    class="drop"
    data-over=${over ? "" : null}
    onDrop=${dropped}
    onDragOver=${dragged}
    onDragLeave=${() => setOver(false)}
  >
    <span class="empty-icon"><${Icon} name="upload" /></span>
    ${
      sending
        ? html`<${Sending} ...${sending} />`
        : html`<label for="file"><b>Drop a CSV file or a workbook here, or choose one</b></label>
            <input
              id="file"
              ref=${input}
              type="file"
              accept=".csv,.tsv,.txt,.xlsx,.xls,.ods,text/csv"
              onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => take(e.currentTarget.files?.[0])}
            />
            <p class="hint">
              Columns are recognised by their names, such as First Name, Company or Mobile. Only a phone column is
              needed; other columns go to the assistant as variables.
            </p>
            <${Action} kind="ghost" icon="download" onPress=${async () => template()}>Download a template<//>`
    }
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
  </div>`;
}

/** @param {{ name: string, size: number, part: number }} props */
const Sending = ({ name, size, part }) =>
  html`<b>${part < 1 ? `Sending ${name}` : `Reading ${name}`}</b>
    <div
      class="gauge"
      role="progressbar"
      aria-label=${`Sending ${name}`}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(part * 100)}
      style=${{ width: "min(360px, 100%)" }}
    >
      <i style=${{ width: `${part * 100}%` }}></i>
    </div>
    <p class="hint num">
      ${share(part * size, size)} of ${size > 1e6 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.ceil(size / 1000)} KB`}
    </p>`;

/** @param {{ uploaded: Upload, onOther: () => void }} props */
function Report({ uploaded, onOther }) {
  const { report } = uploaded;
  return html`<div class="stack" role="status">
    <div class="row between">
      <div>
        <b>${uploaded.filename}</b>
        <p class="hint">Columns: ${uploaded.columns.join(", ")}</p>
      </div>
      <button type="button" onClick=${onOther}>Choose another file</button>
    </div>
    <div class="tally">
      <div><b>${count(report.accepted)}</b><${Mark} good=${report.accepted > 0} /> accepted</div>
      <div><b>${count(report.skippedCount)}</b>${report.skippedCount ? html`<${Mark} />` : ""} skipped</div>
    </div>
    ${report.skippedCount > 0 && html`<${Rejects} report=${report} />`}
  </div>`;
}

/** @param {{ good?: boolean }} props */
const Mark = ({ good }) => html`<${Icon} name=${good ? "check" : "warning"} />`;

/** @param {{ report: Upload["report"] }} props */
function Rejects({ report }) {
  /** @type {Map<string, Skipped[]>} */
  const groups = new Map();
  for (const one of report.skipped) groups.set(one.reason, [...(groups.get(one.reason) ?? []), one]);
  const byCount = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return html`<div>
    <div class="row between">
      <h3>Why rows were skipped</h3>
      ${
        report.rejectsUrl &&
        html`<a class="button" href=${report.rejectsUrl} download
          ><${Icon} name="download" />Download the skipped rows</a
        >`
      }
    </div>
    ${
      report.skippedCount > report.skipped.length &&
      html`<p class="hint">
        Shown are the first ${count(report.skipped.length)}; the download has
        ${report.rejectsNotKept ? `the first ${count(report.skippedCount - report.rejectsNotKept)}` : "all of them"}.
      </p>`
    }
    <ul class="rejects">
      ${byCount.map(
        ([reason, rows]) =>
          html`<li key=${reason}>
            <b>${count(rows.length)} × ${words(reason)}</b>
            <p>${REPAIRS[reason] ?? rows[0]?.message}</p>
            <p class="hint">
              ${rows.length === 1 ? "Row" : "Rows"}
              ${rowList(rows.map(({ row }) => row))}${rows[0] ? html` · ${rows[0].message}` : ""}
            </p>
          </li>`,
      )}
    </ul>
  </div>`;
}
