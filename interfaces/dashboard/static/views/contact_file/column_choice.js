// @ts-check
import { html } from "../../lib.js";
import { ColumnTable } from "./column_table.js";

/**
 * Asks for the column of phone numbers of a file in which it was not recognised.
 * @param {{
 *   details: import("../../api.js").Details,
 *   roles: Record<string, string>,
 *   onUse: (column: string, role: string) => void,
 *   busy: boolean,
 * }} props
 */
export function ColumnChoice({ details, roles, onUse, busy }) {
  const rows = details.rows ?? [];
  const columns = (details.columns ?? []).map((column, at) => ({
    column,
    role: roles[column] ?? "",
    cells: rows.map((row) => row[at] ?? ""),
  }));
  return html`<section class="stack" aria-labelledby="needed">
    <div class="banner" data-kind="warn" role="alert">
      <p>
        <b id="needed">Which column holds the phone numbers?</b>${" "} No column is named like one. Choose “Phone
        number” for it below.
      </p>
    </div>
    <${ColumnTable} columns=${columns} heads=${rows.map((_, at) => `Value ${at + 1}`)} onUse=${onUse} busy=${busy} />
  </section>`;
}
