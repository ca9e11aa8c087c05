// @ts-check
import { html, useState } from "../../lib.js";
import { may, request, useQuery } from "../../api.js";
import { words } from "../../format.js";
import { PURPOSES } from "../../gate_words.js";
import { CampaignSettings, Choices, RetryChoices, UpdateCampaign } from "../../ops.js";
import { Action, Dialog, Field, Skeleton, Trouble } from "../../ui.js";
import { settle } from "./settle.js";
import { changesOf, formOf, locksOf } from "./edit_campaign/changes.js";
import { Again } from "../new_campaign/again.js";
import { faultsOf, termFaults } from "../new_campaign/form.js";
import { Blackouts, Times, Waiver, Windows } from "../new_campaign/hours.js";
import { OutputRules } from "../new_campaign/output_rules.js";

/** @typedef {import("./edit_campaign/changes.js").Form} Form */
/** @typedef {import("./edit_campaign/changes.js").Settings} Settings */
/** @typedef {import("../new_campaign/hours.js").Part} Part */
/** @typedef {import("./controls.js").Asked} Asked */
/** @typedef {{ currentTarget: HTMLInputElement }} Input */

/** Changes the settings of a campaign; a part that cannot be changed now shows why. @param {Asked} props */
export function Edit(props) {
  const settings = useQuery(CampaignSettings, { id: props.campaign.id });
  const retries = useQuery(RetryChoices, {});
  const { data } = settings;
  return html`<${Dialog} title="Change the campaign" wide onClose=${props.onClose}>
    ${settings.error && html`<${Trouble} error=${settings.error} again=${settings.reload} />`}
    ${retries.error && html`<${Trouble} error=${retries.error} again=${retries.reload} />`}
    ${
      data?.campaign && retries.data
        ? html`<${Form}
            ...${props}
            settings=${data.campaign}
            country=${data.settings.defaultRegion}
            retries=${retries.data}
          />`
        : html`<${Skeleton} rows=${6} />`
    }
  <//>`;
}

/**
 * @param {Asked & {
 *   settings: Settings,
 *   country: string,
 *   retries: import("../../ops.js").RetryChoicesData,
 * }} props `country` is the place of the timetable
 */
function Form({ campaign, settings, country, retries, reload, onClose }) {
  // The settings when the dialog was opened: what others change meanwhile is not overwritten.
  const [before] = useState(() => formOf(settings));
  const [form, setForm] = useState(before);
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  const [locks] = useState(() => locksOf(settings, campaign.state, may.admin(), Date.now()));
  const set = (/** @type {Partial<Form>} */ change) => setForm((old) => ({ ...old, ...change }));
  const part = { form, set, wrong };
  const save = async () => {
    const faults = termFaults(form);
    setWrong(faults);
    if (Object.keys(faults).length) throw new Error("Correct the marked fields first.");
    const once = retries.retryPresets.find(({ name }) => name === "once")?.policy;
    const input = changesOf(before, form, /** @type {import("./edit_campaign/changes.js").Policy} */ (once));
    if (Object.keys(input).length) {
      const { updateCampaign: result } = await request(UpdateCampaign, { id: campaign.id, input });
      if (result.__typename === "UserError") setWrong(faultsOf(result));
      settle(result, "Changed. The scheduler uses it from its next pass.");
      await reload();
    }
    onClose();
  };
  return html`<div class="form">
      <${Numbers} ...${part} />
      <${Callers} ...${part} campaign=${campaign} locks=${locks} />
    </div>
    <label class="tick"
      ><input
        type="checkbox"
        checked=${form.lineQuietGating}
        onChange=${(/** @type {Input} */ e) => set({ lineQuietGating: e.currentTarget.checked })}
      /><span>Only while the line is quiet</span></label
    >
    <${Section} title="When" locked=${locks.hours}>
      <div class="form"><${Times} ...${part} locked=${locks.start} /></div>
      <${Windows} ...${part} />
      <${Blackouts} ...${part} />
      ${may.admin() && html`<${Waiver} ...${part} />`}
    <//>
    <${Section} title="Calls again" locked=${locks.terms}>
      <${Again} ...${part} choices=${retries} country=${country} />
    <//>
    <${Section} title="Results" locked=${locks.terms}><${OutputRules} ...${part} /><//>
    <${Fixed} settings=${settings} />
    <footer>
      <button type="button" onClick=${onClose}>Discard</button><${Action} kind="primary" onPress=${save}>Save<//>
    </footer>`;
}

/** Name, cap and budget. @param {Part} props */
function Numbers({ form, set, wrong }) {
  /** @param {"name" | "cap" | "budget"} name */
  const bind = (name) => ({
    value: form[name],
    onInput: (/** @type {Input} */ e) => set({ [name]: e.currentTarget.value }),
  });
  return html`<${Field} label="Name" error=${wrong.name}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} />`}<//
    >
    <${Field} label="Cap: calls at once" hint="If lower, no new calls start until enough have ended." error=${wrong.cap}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("cap")} type="number" min="1" max="10000" />`}<//
    >
    <${Field} label="Budget in US dollars" hint="Empty: no limit." error=${wrong.budget}
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("budget")} type="number" min="0" step="0.01" />`}<//
    >`;
}

/**
 * The list with `one`, which may have been archived or removed since.
 * @template {{ id: string }} T @template {{ id: string }} U
 * @param {readonly T[]} list @param {U} one @returns {(T | U)[]}
 */
const withOne = (list, one) => (list.some(({ id }) => id === one.id) ? [...list] : [...list, one]);

/**
 * The assistant and the line.
 * @param {Part & {
 *   campaign: import("./campaign.js").Campaign,
 *   locks: ReturnType<typeof locksOf>,
 * }} props
 */
function Callers({ form, set, wrong, campaign, locks }) {
  const choices = useQuery(Choices, {}, !locks.line).data;
  const line = { id: campaign.phoneNumberId, number: campaign.phoneNumber };
  return html`<${Field} label="Assistant" error=${wrong.assistantId} hint=${locks.assistant}
      >${(/** @type {any} */ a) =>
        html`<select
          ...${a}
          value=${form.assistantId}
          disabled=${Boolean(locks.assistant) || !choices}
          onInput=${(/** @type {Input} */ e) => set({ assistantId: e.currentTarget.value })}
        >
          ${withOne(choices?.assistants ?? [], campaign.assistant).map(
            (one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`,
          )}
        </select>`}<//
    >
    <${Field} label="Line" error=${wrong.phoneNumberId} hint=${locks.line}
      >${(/** @type {any} */ a) =>
        html`<select
          ...${a}
          value=${form.phoneNumberId}
          disabled=${Boolean(locks.line) || !choices}
          onInput=${(/** @type {Input} */ e) => set({ phoneNumberId: e.currentTarget.value })}
        >
          ${withOne(choices?.phoneNumbers ?? [], line).map(
            (one) => html`<option key=${one.id} value=${one.id}>${one.number ?? one.id}</option>`,
          )}
        </select>`}<//
    >`;
}

/**
 * Settings with a heading.
 * @param {{ title: string, locked: string, children?: any }} props `locked` is why they cannot be changed
 */
const Section = ({ title, locked, children }) =>
  html`<fieldset class="stack section" disabled=${Boolean(locked)}>
    <legend><h3>${title}</h3></legend>
    ${locked && html`<p class="hint">${locked}</p>`} ${children}
  </fieldset>`;

/** What was decided for good when the campaign was created. @param {{ settings: Settings }} props */
const Fixed = ({ settings }) =>
  html`<section class="stack section" aria-labelledby="fixed">
    <h3 id="fixed">Cannot be changed</h3>
    <dl class="facts">
      <dt>Mode</dt>
      <dd>${words(settings.mode)}</dd>
      <dt>Purpose</dt>
      <dd>${PURPOSES.find(([code]) => code === settings.purpose)?.[1]}</dd>
      <dt>Consent</dt>
      <dd>${settings.requireConsent ? "only people with a recorded consent" : "not required"}</dd>
    </dl>
    <p class="hint">
      Contacts may have been called under these already.${" "}
      <a href=${`/campaigns/new?from=${settings.id}`}>Duplicate the campaign</a> to choose others.
    </p>
  </section>`;
