// @ts-check
import { html } from "../../lib.js";
import { regionName } from "../../format.js";
import { Field } from "../../ui.js";

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
/** Codes that `Intl` names although no numbers belong to them. */
const NO_COUNTRIES = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);

/** Country codes with their names, sorted by name. */
function countries() {
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));
  return codes
    .filter((code) => regionName(code) !== code && !NO_COUNTRIES.has(code))
    .filter((code) => new Intl.Locale(`und-${code}`).region === code) // Not a code that was replaced, such as DD.
    .map((code) => ({ code, name: regionName(code) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** @type {{ code: string, name: string }[] | null} */
let known = null;

/** @param {{ region: string, onChoose: (region: string) => void }} props */
export function RegionChoice({ region, onChoose }) {
  known ??= countries();
  return html`<${Field} label="Numbers without + are from">
    ${(/** @type {any} */ a) =>
      html`<select ...${a} value=${region} onChange=${chosen(onChoose)}>
        ${known?.map(({ code, name }) => html`<option key=${code} value=${code}>${name}</option>`)}
      </select>`}<//
  >`;
}

/** @param {{ sheet: string, sheets: string[], onChoose: (sheet: string) => void }} props */
export const SheetChoice = ({ sheet, sheets, onChoose }) =>
  html`<${Field} label="Sheet">
    ${(/** @type {any} */ a) =>
      html`<select ...${a} value=${sheet} onChange=${chosen(onChoose)}>
        ${sheets.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>`}<//
  >`;

/** @param {(value: string) => void} choose */
const chosen = (choose) => (/** @type {{ currentTarget: HTMLSelectElement }} */ event) =>
  choose(event.currentTarget.value);
