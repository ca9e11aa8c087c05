// @ts-check
/**
 * What an export contains. `from` and `to` are days of the viewer's calendar, both included; empty for no limit.
 * @typedef {{
 *   format: "csv" | "excel" | "jsonl",
 *   columns: "standard" | "all" | "chosen",
 *   names: string[],
 *   statuses: string[],
 *   outcomes: string[],
 *   dispositions: string[],
 *   from: string,
 *   to: string,
 *   ownLinks: boolean,
 * }} Choice
 */

/** @type {Choice} */
export const EVERYTHING = {
  format: "csv",
  columns: "standard",
  names: [],
  statuses: [],
  outcomes: [],
  dispositions: [],
  from: "",
  to: "",
  ownLinks: false,
};

/** The midnight that begins a day, or the day after. @param {string} day @param {number} [later] days */
function midnight(day, later = 0) {
  const at = new Date(`${day}T00:00`);
  at.setDate(at.getDate() + later);
  return at.toISOString();
}

/** A name as in a row of CSV. @param {string} name */
const quoted = (name) => (/[",\s]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** The address of an export. @param {{ id: string, exportUrl: string }} campaign @param {Choice} choice */
export function addressOf({ id, exportUrl }, choice) {
  if (choice.format === "jsonl") return `/campaigns/${id}/contacts.jsonl`;
  const query = new URLSearchParams();
  if (choice.columns === "all") query.set("columns", "all");
  if (choice.columns === "chosen") query.set("columns", choice.names.map(quoted).join(","));
  if (choice.format === "excel") query.set("bom", "1");
  if (choice.statuses.length) query.set("status", choice.statuses.join(","));
  if (choice.outcomes.length) query.set("outcome", choice.outcomes.join(","));
  if (choice.dispositions.length) query.set("disposition", choice.dispositions.join(","));
  if (choice.from) query.set("since", midnight(choice.from));
  if (choice.to) query.set("until", midnight(choice.to, 1));
  if (choice.ownLinks) query.set("recordings", "link");
  return query.size ? `${exportUrl}?${query}` : exportUrl;
}
