// @ts-check
import { html, useState } from "../lib.js";
import { request, useQuery } from "../api.js";
import { Choices, UpdateCampaign } from "../ops.js";
import { Action, Dialog, Field } from "../ui.js";
import { settle } from "./controls.js";

/**
 * The list with `one`, which may have been archived or removed since.
 * @template {{ id: string }} T @template {{ id: string }} U
 * @param {readonly T[]} list @param {U} one @returns {(T | U)[]}
 */
const withOne = (list, one) => (list.some(({ id }) => id === one.id) ? [...list] : [...list, one]);

/**
 * Changes a campaign; the assistant and the line before the start and while it is paused.
 * @param {import("./controls.js").Asked} props
 */
export function Edit({ campaign, reload, onClose }) {
  const before = {
    name: campaign.name,
    cap: String(campaign.cap),
    budget: campaign.budget ?? "",
    assistantId: campaign.assistant.id,
    phoneNumberId: campaign.phoneNumberId,
    quiet: campaign.lineQuietGating,
  };
  const canSwitch = campaign.state === "CREATED" || campaign.state === "PAUSED";
  const choices = useQuery(Choices, {}, canSwitch);
  const [form, setForm] = useState(before);
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  /** @param {"name" | "cap" | "budget" | "assistantId" | "phoneNumberId"} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
      setForm((old) => ({ ...old, [name]: e.currentTarget.value })),
  });
  const save = async () => {
    const input = {
      ...(form.name !== before.name && { name: form.name }),
      ...(form.cap !== before.cap && { cap: Number(form.cap) }),
      ...(form.budget !== before.budget && { budget: form.budget || null }),
      ...(form.assistantId !== before.assistantId && { assistantId: form.assistantId }),
      ...(form.phoneNumberId !== before.phoneNumberId && { phoneNumberId: form.phoneNumberId }),
      ...(form.quiet !== before.quiet && { lineQuietGating: form.quiet }),
    };
    const { updateCampaign: result } = await request(UpdateCampaign, { id: campaign.id, input });
    if (result.__typename === "UserError")
      setWrong(Object.fromEntries(result.fields.map((field) => [field.path.at(-1) ?? "", field.message])));
    settle(result, "Changed. The scheduler uses it from its next pass.");
    onClose();
    reload();
  };
  return html`<${Dialog} title="Change the campaign" onClose=${onClose}>
    <${Field} label="Name" error=${wrong.name}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} />`}<//
    >
    <${Field} label="Cap: calls at once" hint="If lower, no new calls start until enough have ended." error=${wrong.cap}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("cap")} type="number" min="1" max="10000" />`}<//
    >
    <${Field} label="Budget in US dollars" hint="Empty: no limit." error=${wrong.budget}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("budget")} type="number" min="0" step="0.01" />`}<//
    >
    ${
      choices.data
        ? html`<${Field} label="Assistant" error=${wrong.assistantId}
              >${(/** @type {any} */ a) =>
                html`<select ...${a} ...${bind("assistantId")}>
                  ${withOne(choices.data?.assistants ?? [], campaign.assistant).map(
                    (one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`,
                  )}
                </select>`}<//
            ><${Field} label="Line" error=${wrong.phoneNumberId}
              >${(/** @type {any} */ a) =>
                html`<select ...${a} ...${bind("phoneNumberId")}>
                  ${withOne(choices.data?.phoneNumbers ?? [], {
                    id: campaign.phoneNumberId,
                    number: campaign.phoneNumber,
                  }).map((one) => html`<option key=${one.id} value=${one.id}>${one.number ?? one.id}</option>`)}
                </select>`}<//
            >`
        : !canSwitch && html`<p class="hint">Pause the campaign to change its assistant or line.</p>`
    }
    <label class="tick"
      ><input
        type="checkbox"
        checked=${form.quiet}
        onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
          setForm((old) => ({ ...old, quiet: e.currentTarget.checked }))}
      /><span>Only while the line is quiet</span></label
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button><${Action} kind="primary" onPress=${save}>Save<//>
    </footer>
  <//>`;
}
