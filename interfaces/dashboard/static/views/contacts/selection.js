// @ts-check
import { html, useState } from "../../lib.js";
import { may } from "../../api.js";
import { count } from "../../format.js";
import { lazy } from "../../lazy.js";
import { Icon } from "../../ui.js";

const RedialDialog = lazy(() => import("../campaign/redial.js"), "RedialDialog");

/** Contacts that one redial may name; the API refuses more. */
const MOST = 1_000;

/**
 * Ids of selected contacts, also those on other pages of the list.
 * @typedef {{ ids: ReadonlySet<string>, turn: (ids: string[], on: boolean) => void, clear: () => void }} Selection
 */

/** @returns {Selection} */
export function useSelection() {
  const [ids, setIds] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  return {
    ids,
    turn: (changed, on) =>
      setIds((old) => {
        const next = new Set(old);
        for (const id of changed) on ? next.add(id) : next.delete(id);
        return next;
      }),
    clear: () => setIds(new Set()),
  };
}

/** @typedef {{ currentTarget: HTMLInputElement }} Input */

/** @param {{ contact: { id: string, name: string }, selection: Selection }} props */
export const SelectOne = ({ contact: { id, name }, selection }) =>
  html`<input
    type="checkbox"
    aria-label=${`Select ${name || "the erased contact"}`}
    checked=${selection.ids.has(id)}
    onChange=${(/** @type {Input} */ e) => selection.turn([id], e.currentTarget.checked)}
  />`;

/** Selects all contacts of the page, or none of them. @param {{ ids: string[], selection: Selection }} props */
export const SelectAll = ({ ids, selection }) =>
  html`<input
    type="checkbox"
    aria-label="Select all contacts of this page"
    checked=${ids.every((id) => selection.ids.has(id))}
    onChange=${(/** @type {Input} */ e) => selection.turn(ids, e.currentTarget.checked)}
  />`;

/**
 * How many contacts are selected, and their redial.
 * @param {{ campaign: { id: string, name: string }, selection: Selection }} props
 */
export function Selected({ campaign, selection: { ids, clear } }) {
  const [redialing, setRedialing] = useState(false);
  if (!ids.size || !may.operate()) return null;
  return html`<div class="pager" role="status">
      <span
        ><b class="num">${count(ids.size)}</b> selected${
          ids.size > MOST && html`<span class="wrong"> A redial takes at most ${count(MOST)} of them.</span>`
        }</span
      >
      <span>
        <button type="button" disabled=${ids.size > MOST} onClick=${() => setRedialing(true)}>
          <${Icon} name="phone" />Redial the selected
        </button>
        <button type="button" class="ghost" onClick=${clear}>Clear the selection</button>
      </span>
    </div>
    ${
      redialing &&
      html`<${RedialDialog} campaign=${campaign} contacts=${[...ids]} onClose=${() => setRedialing(false)} />`
    }`;
}
