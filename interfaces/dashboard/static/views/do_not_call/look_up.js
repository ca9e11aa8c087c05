// @ts-check
import { html, useState } from "../../lib.js";
import { request } from "../../api.js";
import { calendarDate } from "../../format.js";
import { LookUpNumber } from "../../ops.js";
import { Action, Field, Icon, Time } from "../../ui.js";

/** @typedef {import("../../ops.js").LookUpNumberData["suppression"]} Found */
/** @typedef {{ phone: string, found: Found } | null} Result */

/** Looks up one number, typed in any common form, in the register and in all lists. */
export function LookUp() {
  const [phone, setPhone] = useState("");
  const [result, setResult] = useState(/** @type {Result} */ (null));
  const [wrong, setWrong] = useState("");
  const lookUp = async () => {
    setResult(null);
    setWrong("");
    try {
      const { suppression } = await request(LookUpNumber, { phone: phone.trim() });
      setResult({ phone: phone.trim(), found: suppression });
    } catch (error) {
      setWrong(/** @type {Error} */ (error).message);
    }
  };
  return html`<section class="panel stack" aria-labelledby="look-up">
    <header><h2 id="look-up">Look a number up</h2></header>
    <form class="row ask" onSubmit=${(/** @type {SubmitEvent} */ event) => event.preventDefault()}>
      <${Field} label="Phone number" error=${wrong} hint="As you write it, such as (202) 555-0101"
        >${(/** @type {any} */ a) =>
          html`<input
            ...${a}
            type="tel"
            value=${phone}
            onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setPhone(e.currentTarget.value)}
          />`}<//
      ><${Action} type="submit" icon="search" disabled=${!phone.trim()} onPress=${lookUp}>Look up<//>
    </form>
    <div role="status">${result && html`<${Answer} ...${result} />`}</div>
  </section>`;
}

/** @param {NonNullable<Result>} props */
function Answer({ phone, found }) {
  if (!found)
    return html`<div class="banner" data-kind="good">
      <${Icon} name="check" />
      <p><b>${phone} is neither on the register nor on a list.</b></p>
    </div>`;
  const { suppression, list } = found;
  return html`<div class="banner" data-kind="warn">
    <${Icon} name="blocked" />
    <div>
      ${
        suppression &&
        html`<p>
          <b>${suppression.phone || phone} is on the register</b> since <${Time} at=${suppression.addedAt} />, added
          by${" "} ${suppression.addedBy}${suppression.reason ? `: ${suppression.reason}` : ""}.
        </p>`
      }
      ${list && html`<p><b>${phone} is on the list ${list.name}</b> with data of ${calendarDate(list.asOf)}.</p>`}
    </div>
  </div>`;
}
