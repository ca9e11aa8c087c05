// @ts-check
import { html, useState } from "../../lib.js";
import { may, request, useQuery } from "../../api.js";
import { AddAssistantTools, ArchiveAssistant, Assistants, ImportAssistant, ProviderAssistants } from "../../ops.js";
import { count } from "../../format.js";
import { query, setQuery } from "../../route.js";
import { AssistantForm } from "./assistant_form.js";
import { Place } from "./test_call.js";
import { Action, Dialog, Empty, Field, Head, Id, Skeleton, toast, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").AssistantsData["assistants"][number]} Assistant */

export default function AssistantsView() {
  const archived = query("archived") === "1";
  const read = useQuery(Assistants, { includeArchived: archived });
  const [asked, setAsked] = useState(/** @type {"" | "new" | "import" | Assistant} */ (""));
  const [tested, setTested] = useState("");
  /** Reloads the list, then closes the dialog: the button "Change" must open the version that was just saved. */
  const done = async () => {
    await read.reload();
    setAsked((open) => (open === asked ? "" : open));
  };
  const list = read.data?.assistants;
  return html`<${Head} title="Assistants" lead="Voice agents that campaigns can use. They are defined at the provider.">
      ${
        may.admin() &&
        html`<button type="button" onClick=${() => setAsked("import")}>Import</button
          ><button type="button" class="primary" onClick=${() => setAsked("new")}>New assistant</button>`
      }<//
    >
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    <div class="filters">
      <label class="tick"
        ><input
          type="checkbox"
          checked=${archived}
          onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
            setQuery({ archived: e.currentTarget.checked ? "1" : null })}
        /><span>Show archived ones</span></label
      >
    </div>
    ${!list && !read.error && html`<${Skeleton} />`}
    ${
      list &&
      !list.length &&
      html`<section class="panel">
        <${Empty} icon="assistants" title="No assistant yet"
          ><p>Import an existing assistant of the provider, or create a new one.</p>
          ${!may.admin() && html`<p>An admin can do that.</p>`}<//
        >
      </section>`
    }
    ${
      list &&
      list.length > 0 &&
      html`<section class="panel flush">
        <div class="scroll">
          <table class="table">
            <thead>
              <tr>
                <th>Name</th>
                <th class="wide">Provider's id</th>
                <th class="num">Campaigns</th>
                <th class="wide">Configuration</th>
                ${may.operate() && html`<th><span class="sr">Actions</span></th>`}
              </tr>
            </thead>
            <tbody>
              ${list.map(
                (one) =>
                  html`<${Line}
                    key=${one.id}
                    one=${one}
                    edit=${() => setAsked(one)}
                    test=${() => setTested(one.id)}
                    done=${done}
                  />`,
              )}
            </tbody>
          </table>
        </div>
      </section>`
    }
    ${tested && html`<${Place} assistantId=${tested} first=${null} onClose=${() => setTested("")} />`}
    ${asked === "new" && html`<${AssistantForm} known=${list ?? []} onClose=${() => setAsked("")} onDone=${done} />`}
    ${asked === "import" && html`<${Import} onClose=${() => setAsked("")} onDone=${done} />`}
    ${
      typeof asked === "object" &&
      html`<${AssistantForm} one=${asked} known=${list ?? []} onClose=${() => setAsked("")} onDone=${done} />`
    }`;
}

/** @param {{ one: Assistant, edit: () => void, test: () => void, done: () => Promise<void> }} props */
function Line({ one, edit, test, done }) {
  const archive = async () => {
    const { archiveAssistant: result } = await request(ArchiveAssistant, { id: one.id });
    if (result.__typename === "UserError") throw new Error(result.message);
    toast(`${one.name} is archived. The provider keeps its own.`);
    await done();
  };
  const addTools = async () => {
    const { addAssistantTools: result } = await request(AddAssistantTools, { id: one.id });
    if (result.__typename === "UserError") throw new Error(result.message);
    toast(`${one.name} can record opt-outs and plan callbacks.`);
    await done();
  };
  return html`<tr>
    <td class="main"><b>${one.name}</b> ${one.archived && html`<i class="tag">archived</i>`}</td>
    <td class="wide"><${Id} id=${one.providerAssistantId} label="Provider's assistant id" /></td>
    <td class="num">${count(one.activeCampaigns)}</td>
    <td class="wide">
      <details class="payload">
        <summary>Show</summary>
        <pre tabindex="0">${JSON.stringify(one.config, null, 2)}</pre>
      </details>
    </td>
    ${
      may.operate() &&
      html`<td>
        <div class="row" style=${{ justifyContent: "end" }}>
          ${!one.archived && html`<button type="button" class="small" onClick=${test}>Test call</button>`}
          ${
            may.admin() &&
            !one.archived &&
            html`<button type="button" class="small" onClick=${edit}>Change</button>${
                !one.hasTools &&
                html`<${Action} kind="small" hint="Tools to record opt-outs and plan callbacks" onPress=${addTools}
                  >Add tools<//
                >`
              }<${Action}
                kind="small"
                onPress=${archive}
                disabled=${one.activeCampaigns > 0}
                hint=${one.activeCampaigns > 0 ? "An unfinished campaign uses it" : ""}
                >Archive<//
              >`
          }
        </div>
      </td>`
    }
  </tr>`;
}

/** @param {import("../../ops.js").ProviderAssistantsData["providerAssistants"][number]} one */
function listed({ name, providerAssistantId, assistant }) {
  const label = name ?? providerAssistantId;
  if (!assistant) return label;
  return `${label} (${assistant.archived ? "archived" : "imported; import again to update it"})`;
}

/** @param {{ onClose: () => void, onDone: () => Promise<void> }} props */
function Import({ onClose, onDone }) {
  const read = useQuery(ProviderAssistants, {});
  const choices = read.data?.providerAssistants;
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState("");
  const add = async () => {
    const { importAssistant: result } = await request(ImportAssistant, {
      providerAssistantId: id,
      name: name.trim() || null,
    });
    if (result.__typename === "UserError") return setWrong(result.message);
    toast(`${result.name} is in the directory.`);
    await onDone();
  };
  return html`<${Dialog} title="Import an assistant" onClose=${onClose}>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!choices && !read.error && html`<${Skeleton} rows=${2} />`}
    ${
      choices &&
      html`<${Field} label="Assistant at the provider" error=${wrong}
        >${(/** @type {any} */ a) =>
          html`<select
            ...${a}
            value=${id}
            onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => setId(e.currentTarget.value)}
          >
            <option value="">Choose one of ${count(choices.length)}</option>
            ${choices.map(
              (one) =>
                html`<option key=${one.providerAssistantId} value=${one.providerAssistantId}>${listed(one)}</option>`,
            )}
          </select>`}<//
      >`
    }
    <${Field} label="Name here" hint="Empty: the provider's name."
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${name}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setName(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!id} onPress=${add}>Import<//>
    </footer>
  <//>`;
}
