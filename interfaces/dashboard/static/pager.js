// @ts-check
import { html } from "./lib.js";
import { count } from "./format.js";
import { query, setQuery } from "./route.js";

/**
 * Which rows of a list are shown, and buttons for other pages. The address contains the cursor of the page as `after`
 * and the number of rows before it as `from`.
 * @param {{
 *   info: { hasNextPage: boolean, endCursor: string | null },
 *   shown: number,
 *   total?: number,
 *   capped?: boolean,
 * }} props `capped`: the total stops at 10,000
 */
export function Pager({ info, shown, total, capped }) {
  const after = query("after");
  const before = after ? Number(query("from")) : 0;
  const next = { after: info.endCursor, from: String(before + shown) };
  const rows = after && !before ? `${count(shown)} shown` : `${count(before + 1)}-${count(before + shown)}`;
  return html`<nav class="pager" aria-label="Pages">
    <span class="quiet num"
      >${rows}${total == null ? "" : ` of ${count(total)}${capped && total >= 10_000 ? " or more" : ""}`}</span
    >
    <span
      >${
        after &&
        html`<button type="button" onClick=${() => setQuery({ after: null, from: null }, {})}>First page</button>`
      } <button type="button" disabled=${!info.hasNextPage} onClick=${() => setQuery(next, {})}>Next page</button></span
    >
  </nav>`;
}
