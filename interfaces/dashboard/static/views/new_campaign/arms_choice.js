// @ts-check
import { html } from "../../lib.js";
import { useQuery } from "../../api.js";
import { SmallestDifferences } from "../../ops.js";
import { points } from "../campaign/arms_panel.js";

/** @typedef {{ assistantId: string, share: number }} ChosenArm */
/** @typedef {{ arms: ChosenArm[] }} Arms */

const MOST = 3;

export const NO_ARMS = { arms: /** @type {ChosenArm[]} */ ([]) };

/** The input of `createCampaign` for these arms. @param {Arms} form */
export const armsOf = ({ arms }) => ({ arms: arms.filter((arm) => arm.assistantId) });

/**
 * More assistants to compare with the chosen one, with their shares of the contacts.
 * @param {{
 *   form: Arms,
 *   set: (change: Partial<Arms>) => void,
 *   wrong: Record<string, string>,
 *   assistants: { id: string, name: string }[],
 *   contacts: number | null,
 * }} props
 */
export function ArmsChoice({ form, set, wrong, assistants, contacts }) {
  const { arms } = form;
  const rest = 100 - arms.reduce((sum, arm) => sum + arm.share, 0);
  /** @param {number} at @param {Partial<ChosenArm>} change */
  const change = (at, change) => set({ arms: arms.map((arm, i) => (i === at ? { ...arm, ...change } : arm)) });
  const add = () => set({ arms: equal([...arms, { assistantId: "", share: 0 }]) });
  return html`<fieldset class="stack">
    <legend>Compare assistants</legend>
    ${
      arms.length > 0 &&
      html`<p class="hint">
        ${rest > 0 ? `${rest} % of the contacts get the assistant above.` : "Leave a share for the assistant above."} A
        contact keeps its assistant in all calls.
      </p>`
    }
    ${arms.map(
      (arm, at) =>
        html`<div class="row" key=${at}>
          <select
            aria-label=${`Compared assistant ${at + 1}`}
            value=${arm.assistantId}
            onInput=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
              change(at, { assistantId: e.currentTarget.value })}
          >
            <option value="">Choose…</option>
            ${assistants.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
          </select>
          <input
            aria-label=${`Share of compared assistant ${at + 1} in percent`}
            type="number"
            min="1"
            max="99"
            value=${arm.share}
            onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
              change(at, { share: Number(e.currentTarget.value) })}
          />
          <button type="button" onClick=${() => set({ arms: arms.filter((_, i) => i !== at) })}>Remove</button>
        </div>`,
    )}
    ${wrong.arms && html`<p class="wrong" role="alert">${wrong.arms}</p>`}
    ${arms.length < MOST && html`<div><button type="button" onClick=${add}>Add an assistant</button></div>`}
    ${arms.length > 0 && contacts != null && rest > 0 && html`<${Smallest} arms=${arms} contacts=${contacts} />`}
  </fieldset>`;
}

/** Equal shares for the first assistant and these. @param {ChosenArm[]} arms */
const equal = (arms) => arms.map((arm) => ({ ...arm, share: Math.floor(100 / (arms.length + 1)) }));

/** @param {{ arms: ChosenArm[], contacts: number }} props */
function Smallest({ arms, contacts }) {
  const shares = arms.map((arm) => arm.share);
  const valid = shares.every((share) => Number.isInteger(share) && share > 0);
  const read = useQuery(SmallestDifferences, { contacts, shares: valid ? shares : [] });
  const found = read.data?.smallestDifferences ?? [];
  if (!found.length) return null;
  const rises = found.map((rise) => (rise == null ? "none" : `${points(rise)} points`));
  return html`<p class="hint" role="status">
    Smallest rise of a goal rate of 10 % that this list can show: <b class="num">${rises.join(", ")}</b>
  </p>`;
}
