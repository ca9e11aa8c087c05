// @ts-check
import { html, useState } from "../../lib.js";
import { request, useQuery } from "../../api.js";
import { counted, words } from "../../format.js";
import { CampaignSettings, CreateCampaign, RedialCount } from "../../ops.js";
import { go, query } from "../../route.js";
import { DISPOSITIONS } from "../contacts/contact_actions.js";
import { copyOf, inputOf } from "../new_campaign/form.js";
import { Action, Dialog, Field } from "../../ui.js";

/** @typedef {import("../../ops.js").CallOutcome} Outcome */

/**
 * A new campaign with the settings of this one, but without its budget, for its finished contacts; no outcome chosen
 * means all of them.
 * @param {{
 *   campaign: { id: string, name: string },
 *   outcomes?: import("./results.js").Results["outcomes"],
 *   contacts?: readonly string[],
 *   onClose: () => void,
 * }} props `contacts` are the ids of single contacts, instead of a choice by outcome
 */
export function RedialDialog({ campaign, outcomes = [], contacts: selected, onClose }) {
  const [chosen, setChosen] = useState(() => /** @type {Outcome[]} */ ([query("outcome")].filter(Boolean)));
  const [name, setName] = useState(`Redial of ${campaign.name}`.slice(0, 200));
  const [requestId] = useState(() => crypto.randomUUID());
  const [disposition, setDisposition] = useState(query("disposition"));
  const redial = selected
    ? { campaignId: campaign.id, contactIds: [...selected] }
    : {
        campaignId: campaign.id,
        outcomes: chosen.length ? chosen : null,
        dispositions: disposition ? [/** @type {import("../../ops.js").Disposition} */ (disposition)] : null,
      };
  const found = useQuery(RedialCount, { redial });
  const contacts = found.data?.redialCount;
  const settings = useQuery(CampaignSettings, { id: campaign.id }).data?.campaign;
  /** @param {Outcome} outcome */
  const turn = (outcome) =>
    setChosen((old) => (old.includes(outcome) ? old.filter((one) => one !== outcome) : [...old, outcome]));
  const create = async () => {
    if (!settings) return;
    const form = { ...copyOf(settings), name, requestId, budget: "" };
    const input = { ...inputOf(form, null), redial };
    const { createCampaign: made } = await request(CreateCampaign, { input });
    if (made.__typename === "UserError") throw new Error(made.message);
    onClose();
    go(`/campaigns/${made.campaign.id}`);
  };
  return html`<${Dialog} title="Call people again" onClose=${onClose}>
    <div class="stack">
      <p>
        A new campaign is created for finished contacts, with the settings of this one but without its budget, start and
        end. It calls nobody before it is started.
      </p>
      ${
        selected
          ? html`<p>${counted(selected.length, "selected contact")}.</p>`
          : html`<${ByResult}
              outcomes=${outcomes}
              chosen=${chosen}
              turn=${turn}
              disposition=${disposition}
              setDisposition=${setDisposition}
            />`
      }
      <${Field} label="Name of the new campaign"
        >${(/** @type {any} */ a) =>
          html`<input
            ...${a}
            value=${name}
            maxlength="200"
            onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setName(e.currentTarget.value)}
          />`}<//
      >
      <p role="status">
        ${contacts == null ? "Counting…" : `${counted(contacts, "contact is", "contacts are")} called again.`}
        ${" "}<span class="quiet">Erased, withheld and opted-out contacts are left out.</span>
      </p>
      <${Action} kind="primary" disabled=${!contacts || !settings} onPress=${create}>Create the redial<//>
    </div>
  <//>`;
}

/**
 * Contacts by the outcome of the last call and the disposition.
 * @param {{
 *   outcomes: import("./results.js").Results["outcomes"],
 *   chosen: Outcome[],
 *   turn: (outcome: Outcome) => void,
 *   disposition: string,
 *   setDisposition: (disposition: string) => void,
 * }} props
 */
const ByResult = ({ outcomes, chosen, turn, disposition, setDisposition }) =>
  html`<fieldset>
      <legend>Whose last call was</legend>
      ${outcomes.map(
        ({ outcome }) =>
          html`<label class="tick" key=${outcome}
            ><input type="checkbox" checked=${chosen.includes(outcome)} onChange=${() => turn(outcome)} /><span
              >${words(outcome)}</span
            ></label
          >`,
      )}
    </fieldset>
    <${Field} label="And whose disposition is"
      >${(/** @type {any} */ a) =>
        html`<select
          ...${a}
          value=${disposition}
          onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) => setDisposition(e.currentTarget.value)}
        >
          <option value="">Any, or none</option>
          ${DISPOSITIONS.map((one) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
        </select>`}<//
    >`;
