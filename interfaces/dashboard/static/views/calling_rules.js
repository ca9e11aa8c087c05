// @ts-check
import { html, useState } from "../lib.js";
import { may, request, useQuery } from "../api.js";
import { calendarDate, count, regionName } from "../format.js";
import { capWords, NO_ADVICE, PURPOSES, purposeWords } from "../gate_words.js";
import { CallingRules, UpdateSettings } from "../ops.js";
import { query, setQuery } from "../route.js";
import { Action, Dialog, Empty, Field, Head, Icon, Id, Search, Skeleton, toast, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").CallingRulesData} Data */
/** @typedef {Data["callingRules"]["rules"][number]} Rule */

/** @type {Record<string, string>} */
const CONFIDENCE = { H: "High", M: "Medium", L: "Low" };

export default function CallingRulesView() {
  const read = useQuery(CallingRules, {});
  const data = read.data;
  return html`<${Head}
      title="Calling rules"
      lead=${`When calls are allowed at each place, with the source of each rule. ${NO_ADVICE}`}
    />
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!data && !read.error && html`<${Skeleton} />`}
    ${
      data &&
      html`<div class="stack">
        <${InForce} settings=${data.settings} reload=${read.reload} />
        <${Book} book=${data.callingRules} />
      </div>`
    }`;
}

/** @param {{ settings: Data["settings"], reload: () => void }} props */
function InForce({ settings, reload }) {
  const [asked, setAsked] = useState(false);
  const off = settings.callingRules === "OFF";
  const enforce = async () => {
    await change({ callingRules: "ENFORCED" });
    toast("The calling rules are enforced again.");
    reload();
  };
  return html`<section class="panel stack" aria-labelledby="in-force">
    <header>
      <h2 id="in-force">In force</h2>
      ${
        may.admin() &&
        (off
          ? html`<${Action} kind="primary" onPress=${enforce}>Enforce the rules<//>`
          : html`<button type="button" class="danger" onClick=${() => setAsked(true)}>Waive the rules</button>`)
      }
    </header>
    ${
      off
        ? html`<div class="banner" data-kind="warn">
            <${Icon} name="warning" />
            <p>
              <b>The rules are waived for all campaigns</b>${` ${waiverOf(settings)} `}The do-not-call register and the
              limits below still apply.
            </p>
          </div>`
        : html`<p>Every call is checked against all rules of every place that the number may belong to.</p>`
    }
    <dl class="facts">
      <dt>Calls to one number, over all campaigns</dt>
      <dd>${capWords(settings.frequencyCaps) || "no limit of your own"}</dd>
    </dl>
    <p class="hint">
      Add rules of your own in the folder that <code>AUTOLYNX_RULES_DIR</code> names. All rules of a place apply
      together, so they can only tighten.
    </p>
    ${asked && html`<${Waive} onClose=${() => setAsked(false)} done=${reload} />`}
  </section>`;
}

/** Who waived the rules, and why. @param {Data["settings"]} settings */
function waiverOf({ rulesWaivedBy, rulesReason }) {
  const by = !rulesWaivedBy || rulesWaivedBy === "environment" ? "the environment of the service" : rulesWaivedBy;
  return rulesReason ? `by ${by}: ${rulesReason.replace(/\.?$/, ".")}` : `by ${by}.`;
}

/** @param {import("../ops.js").SettingsInput} input */
async function change(input) {
  const { updateSettings: result } = await request(UpdateSettings, { input });
  if (result.__typename === "UserError") throw new Error(result.message);
}

/** @param {{ onClose: () => void, done: () => void }} props */
function Waive({ onClose, done }) {
  const [reason, setReason] = useState("");
  const waive = async () => {
    await change({ callingRules: "OFF", callingRulesReason: reason.trim() });
    toast("The calling rules are waived. Your name and the reason are recorded.");
    onClose();
    done();
  };
  return html`<${Dialog} title="Waive the rules for all campaigns?" onClose=${onClose}>
    <p>Calls are then placed at any hour. You answer for it; your name and the reason are recorded in the history.</p>
    <${Field} label="Reason"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${reason}
          maxlength="500"
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setReason(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Keep the rules</button
      ><${Action} kind="danger primary" disabled=${!reason.trim()} onPress=${waive}>Waive the rules<//>
    </footer><//
  >`;
}

/** @param {{ book: Data["callingRules"] }} props */
function Book({ book }) {
  const search = query("q");
  const purpose = query("purpose");
  const rules = book.rules.filter(
    (rule) => isAt(rule, search) && (!purpose || rule.purposes.some((one) => one === purpose)),
  );
  const countries = Map.groupBy(rules, (rule) => rule.place.slice(0, 2));
  const sorted = [...countries].sort(([a], [b]) => regionName(a).localeCompare(regionName(b)));
  return html`<section class="panel flush" aria-labelledby="book">
    <header>
      <h2 id="book">Rules by place <span class="quiet num">${count(rules.length)}</span></h2>
      <div class="row">
        <${Search}
          label="Country or state, such as US-FL"
          value=${search}
          onText=${(/** @type {string} */ q) => setQuery({ q })}
        />
        <select
          aria-label="Purpose"
          style=${{ width: "auto" }}
          value=${purpose}
          onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ e) =>
            setQuery({ purpose: e.currentTarget.value })}
        >
          <option value="">Every purpose</option>
          ${PURPOSES.map(([code, text]) => html`<option key=${code} value=${code}>${text}</option>`)}
        </select>
      </div>
    </header>
    ${
      sorted.length
        ? sorted.map(
            ([country, some]) =>
              html`<section key=${country} class="place" aria-label=${regionName(country)}>
                <h3>${regionName(country)}</h3>
                <${Table} rules=${some} />
              </section>`,
          )
        : html`<${Empty} icon="search" title="No rule matches"
            ><p>Numbers of a place without rules are not called; an admin may waive the rules of a campaign.</p><//
          >`
    }
    <footer class="hint foot">Version of the rule book: <${Id} id=${book.version} label="Version" /></footer>
  </section>`;
}

/** @param {Rule} rule @param {string} search */
function isAt(rule, search) {
  const wanted = search.toLowerCase();
  return rule.place.toLowerCase().includes(wanted) || regionName(rule.place.slice(0, 2)).toLowerCase().includes(wanted);
}

/** @param {{ rules: Rule[] }} props */
const Table = ({ rules }) =>
  html`<table class="table stacked">
    <thead>
      <tr>
        <th>Place and rule</th>
        <th>Hours</th>
        <th>Calls to a number</th>
        <th>In effect</th>
        <th>Source</th>
        <th>Confidence</th>
      </tr>
    </thead>
    <tbody>
      ${rules.map(
        (rule) =>
          html`<tr key=${rule.id}>
            <td class="main">
              <b>${rule.place}</b> ${rule.isOwn && html`<span class="tag">your own</span>`} <span>${rule.id}</span
              ><span>${purposeWords(rule.purposes)}</span>
            </td>
            <td data-label="Hours">
              ${rule.hours || "no hours of its own"}${
                rule.holidays && html`<div class="hint">Other hours on the holidays ${rule.holidays}</div>`
              }${rule.note && html`<div class="hint">${rule.note}</div>`}
            </td>
            <td data-label="Calls to a number">${capWords(rule.frequency) || "–"}</td>
            <td data-label="In effect">${effect(rule)}</td>
            <td data-label="Source">
              ${rule.source}
              <div class="hint">read on ${calendarDate(rule.readOn)}</div>
            </td>
            <td data-label="Confidence">${CONFIDENCE[rule.confidence] ?? rule.confidence}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;

/** @param {Rule} rule */
function effect({ validFrom, validTo }) {
  if (validFrom && validTo) return `${calendarDate(validFrom)} to ${calendarDate(validTo)}`;
  if (validFrom) return `from ${calendarDate(validFrom)}`;
  return validTo ? `until ${calendarDate(validTo)}` : "now";
}
