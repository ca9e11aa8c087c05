// @ts-check
import { html, useState } from "../../lib.js";
import { request, useQuery } from "../../api.js";
import { PhoneNumbers, PlaceTestCall } from "../../ops.js";
import { Action, Dialog, Field } from "../../ui.js";

/** @typedef {import("../../contact_file.js").SampleRow} SampleRow */

/**
 * A button that calls a number of the member's own, with the values of the file's first contact.
 * @param {{ assistantId: string, phoneNumberId: string, first: SampleRow | null }} props
 */
export function TestCall({ assistantId, phoneNumberId, first }) {
  const [open, setOpen] = useState(false);
  return html`<div>
    <button type="button" disabled=${!assistantId || !phoneNumberId} onClick=${() => setOpen(true)}>Test call</button>
    ${
      open &&
      html`<${Place}
        assistantId=${assistantId}
        phoneNumberId=${phoneNumberId}
        first=${first}
        onClose=${() => setOpen(false)}
      />`
    }
  </div>`;
}

/**
 * @param {{
 *   assistantId: string,
 *   phoneNumberId?: string,
 *   first: SampleRow | null,
 *   onClose: () => void,
 * }} props without `phoneNumberId` the dialog asks for the line
 */
export function Place({ assistantId, phoneNumberId, first, onClose }) {
  // One id for each opened dialog: a second press of the button places no second call.
  const [requestId] = useState(() => crypto.randomUUID?.() ?? null);
  const [phone, setPhone] = useState("");
  const [placed, setPlaced] = useState("");
  const [wrong, setWrong] = useState("");
  const [chosen, setChosen] = useState(phoneNumberId ?? "");
  const lines = useQuery(PhoneNumbers, {}, phoneNumberId === undefined).data?.phoneNumbers;
  const place = async () => {
    const variables = first ? variablesOf(first) : {};
    const input = { assistantId, phoneNumberId: chosen, phone: phone.trim(), variables, requestId };
    const { placeTestCall: result } = await request(PlaceTestCall, { input });
    if (result.__typename === "UserError") return setWrong(result.message);
    setPlaced(result.id);
  };
  if (placed)
    return html`<${Dialog} title="Test call" onClose=${onClose}>
      <p>
        The call is placed within two minutes, or not at all if the rules do not allow it now.${" "}
        <a href=${`/campaigns/${placed}`} target="_blank" rel="noopener">Follow the test call</a>
      </p>
      <footer><button type="button" class="primary" onClick=${onClose}>Close</button></footer><//
    >`;
  return html`<${Dialog} title="Test call" onClose=${onClose}>
    ${
      phoneNumberId === undefined &&
      html`<${Field} label="Line" hint=${lines?.length === 0 ? "The provider shows no phone number." : undefined}
        >${(/** @type {any} */ a) =>
          html`<select
            ...${a}
            value=${chosen}
            onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => setChosen(e.currentTarget.value)}
          >
            <option value="">Choose…</option>
            ${lines?.map((line) => html`<option key=${line.id} value=${line.id}>${line.number ?? line.id}</option>`)}
          </select>`}<//
      >`
    }
    <${Field}
      label="Your own number"
      error=${wrong}
      hint="Calling hours, the do-not-call register and the limits of calls per number apply to it too."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="tel"
          autocomplete="tel"
          value=${phone}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setPhone(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" icon="phone" disabled=${!phone.trim() || !chosen} onPress=${place}>Call<//>
    </footer><//
  >`;
}

/** The values of the file's first contact. @param {SampleRow} row */
const variablesOf = ({ businessName, variables }) => ({ business_name: businessName, ...variables });
