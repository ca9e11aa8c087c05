// @ts-check
import { html, useId, useState } from "../../lib.js";
import { request } from "../../api.js";
import { useAssistantDraft } from "../../assistant_draft.js";
import { CreateAssistant, UpdateAssistant } from "../../ops.js";
import { Action, Dialog, Field, Skeleton, toast } from "../../ui.js";

/** @typedef {import("../../ops.js").AssistantsData["assistants"][number]} Assistant */
/** @typedef {import("../../assistant_draft.js").Fields} Fields */
/** @typedef {{ currentTarget: HTMLInputElement | HTMLTextAreaElement }} Edited */

const LABELS = /** @type {const} */ ({
  firstMessage: "First message",
  prompt: "Prompt",
  model: "Model",
  voice: "Voice",
  voicemailMessage: "Voicemail message",
});
const VARIABLES = "Names of columns in double braces, as in {{name}}, are filled in for each contact.";

/**
 * Creates or changes an assistant; `known` are assistants whose models and voices are offered.
 * @param {{ one?: Assistant, known: readonly Assistant[], onClose: () => void, onDone: () => Promise<void> }} props
 */
export function AssistantForm({ one, known, onClose, onDone }) {
  const [name, setName] = useState(one?.name ?? "");
  const draft = useAssistantDraft(/** @type {object | null} */ (one?.config ?? null));
  const save = async () => {
    const changes = await draft.settle();
    if (!changes) return;
    const result = one
      ? (await request(UpdateAssistant, { id: one.id, input: { ...(name !== one.name && { name }), ...changes } }))
          .updateAssistant
      : (await request(CreateAssistant, { input: { name, ...changes } })).createAssistant;
    if (result.__typename === "UserError") return draft.failed(new Error(result.message));
    toast(one ? "Changed, at the provider too." : "Created at the provider and added here.");
    await onDone();
  };
  return html`<${Dialog} wide title=${one ? `Change ${one.name}` : "New assistant"} onClose=${onClose}>
    ${
      one &&
      one.activeCampaigns > 0 &&
      html`<p class="banner" data-kind="warn">Unfinished campaigns use this assistant.</p>`
    }
    <${Field} label="Name"
      >${(/** @type {any} */ a) =>
        html`<input ...${a} value=${name} onInput=${(/** @type {Edited} */ e) => setName(e.currentTarget.value)} />`}<//
    >
    ${draft.fields ? html`<${Parts} draft=${draft} fields=${draft.fields} known=${known} />` : html`<${Skeleton} />`}
    ${draft.wrong && html`<p class="banner" data-kind="bad" role="alert">${draft.wrong}</p>`}
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!name.trim() || !draft.fields} onPress=${save}>Save<//>
    </footer>
  <//>`;
}

/** @typedef {ReturnType<typeof useAssistantDraft>} Draft */

/** @param {{ draft: Draft, fields: Fields, known: readonly Assistant[] }} props */
function Parts({ draft, fields, known }) {
  return html`<${Text} draft=${draft} name="firstMessage" hint=${VARIABLES} />
    <${Text} draft=${draft} name="prompt" hint=${VARIABLES} />
    <${Choice} draft=${draft} name="model" known=${known} />
    <${Choice} draft=${draft} name="voice" known=${known} />
    <${Text} draft=${draft} name="voicemailMessage" hint="Said to an answering machine; empty to hang up instead." />
    <${Field} label="Longest call in seconds" hint="The provider ends a call after this time."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="number"
          min="1"
          value=${fields.longestCallSeconds ?? ""}
          onInput=${(/** @type {Edited} */ e) =>
            e.currentTarget.value && draft.setField("longestCallSeconds", Math.trunc(Number(e.currentTarget.value)))}
          onChange=${draft.settle}
        />`}<//
    >
    <details>
      <summary>The provider's configuration, as JSON</summary>
      <${Field} label="Configuration" hint="The fields above change with it. It lacks the name, ids, times and secrets."
        >${(/** @type {any} */ a) =>
          html`<textarea
            ...${a}
            spellcheck="false"
            value=${draft.text}
            onInput=${(/** @type {Edited} */ e) => draft.setText(e.currentTarget.value)}
            onChange=${draft.settle}
          ></textarea>`}<//
      >
    </details>`;
}

/** @typedef {"firstMessage" | "prompt" | "voicemailMessage" | "model" | "voice"} TextName */

/** @param {{ draft: Draft, name: TextName, hint: string }} props */
const Text = ({ draft, name, hint }) =>
  html`<${Field} label=${LABELS[name]} hint=${hint}
    >${(/** @type {any} */ a) =>
      html`<textarea
        ...${a}
        class="prose"
        rows=${name === "prompt" ? 8 : 2}
        value=${draft.fields?.[name] ?? ""}
        onInput=${(/** @type {Edited} */ e) => draft.setField(name, e.currentTarget.value)}
        onChange=${draft.settle}
      ></textarea>`}<//
  >`;

/** A text for which the values of known assistants are offered.
 * @param {{ draft: Draft, name: "model" | "voice", known: readonly Assistant[] }} props
 */
function Choice({ draft, name, known }) {
  const list = useId();
  const values = [...new Set(known.map((one) => one.form[name]).filter(Boolean))].sort();
  return html`<${Field} label=${LABELS[name]} hint="PROVIDER/NAME, by the names that the assistants' provider uses."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          list=${list}
          value=${draft.fields?.[name] ?? ""}
          onInput=${(/** @type {Edited} */ e) => draft.setField(name, e.currentTarget.value)}
          onChange=${draft.settle}
        />`}<//
    ><datalist id=${list}>${values.map((value) => html`<option key=${value} value=${value}></option>`)}</datalist>`;
}
