// @ts-check
import { html } from "../../lib.js";
import { count, rowList, words } from "../../format.js";
import { Icon } from "../../ui.js";

/** @typedef {import("../../contact_file.js").Skipped} Skipped */

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

/** The skipped rows of a file by reason. @param {{ report: import("../../contact_file.js").Upload["report"] }} props */
export function Rejects({ report }) {
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
        Shown are the first ${count(report.skipped.length)}; the download has${" "}
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
              ${rows.length === 1 ? "Row" : "Rows"}${" "}
              ${rowList(rows.map(({ row }) => row))}${rows[0] ? html` · ${rows[0].message}` : ""}
            </p>
          </li>`,
      )}
    </ul>
  </div>`;
}
