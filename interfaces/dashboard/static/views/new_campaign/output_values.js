// @ts-check
/**
 * The rows of the editor of output rules, and their conversion from and to the API.
 * `kind` and `text` are what a member chose and typed; a row from the API has only the value `equals`. It is undefined
 * while the text is not a value of that kind.
 * @typedef {"true" | "false" | "text" | "number" | "null" | "json"} Kind
 * @typedef {import("../../ops.js").Disposition} Disposition
 * @typedef {{ output: string, equals: any, means: Disposition, kind?: Kind, text?: string }} RuleRow
 */

/** Kinds of values, and whether one is typed. @type {Record<Kind, { label: string, hasText: boolean }>} */
export const KINDS = {
  true: { label: "true", hasText: false },
  false: { label: "false", hasText: false },
  text: { label: "the text", hasText: true },
  number: { label: "the number", hasText: true },
  null: { label: "empty (null)", hasText: false },
  json: { label: "the JSON value", hasText: true },
};

/** @param {RuleRow} row @returns {Kind} */
export function kindOf({ kind, equals }) {
  if (kind) return kind;
  if (equals === true || equals === false || equals === null) return /** @type {Kind} */ (String(equals));
  return typeof equals === "string" ? "text" : typeof equals === "number" ? "number" : "json";
}

/** @param {RuleRow} row */
export function textOf({ text, equals }) {
  if (text !== undefined) return text;
  if (equals == null || typeof equals === "boolean") return "";
  return typeof equals === "string" ? equals : JSON.stringify(equals);
}

/** The value of a text; undefined if it is not of this kind. @param {Kind | undefined} kind @param {string} text */
export function valueOf(kind, text) {
  if (kind === "text") return text;
  if (kind === "number") return text.trim() && Number.isFinite(Number(text)) ? Number(text) : undefined;
  try {
    return JSON.parse(kind === "json" ? text : (kind ?? "null"));
  } catch {
    return undefined;
  }
}

/** The complete rules, as the API takes them. @param {readonly RuleRow[]} rows */
export const rulesOf = (rows) =>
  rows
    .filter(({ output, equals }) => output.trim() && equals !== undefined)
    .map(({ output, equals, means }) => ({ output: output.trim(), equals, means }));

/** Faults of the rows, by path of the field. @param {readonly RuleRow[]} rows @returns {Record<string, string>} */
export function ruleFaults(rows) {
  /** @type {Record<string, string>} */
  const faults = {};
  rows.forEach((row, at) => {
    if (!row.output.trim()) faults[`outputRules.${at}.output`] = "Enter the name of an output.";
    if (row.equals === undefined)
      faults[`outputRules.${at}.equals`] = kindOf(row) === "number" ? "Enter a number." : "This is not a JSON value.";
  });
  return faults;
}
