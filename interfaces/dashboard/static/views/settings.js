// @ts-check
import { html, useState } from "../lib.js";
import { may, request, useQuery } from "../api.js";
import { AllowRequestsAgain, SettingsPage, UpdateSettings } from "../ops.js";
import { useUnsaved } from "../route.js";
import { Action, Field, Head, Skeleton, toast, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").SettingsPageData["settings"]} Settings */
/** @typedef {keyof Settings} Name */

/** @type {[string, [Name, string, string, "whole" | "number" | "money" | "text" | "url"][]][]} */
const GROUPS = [
  [
    "Pace",
    [
      ["defaultCap", "Default cap of a campaign", "Calls at once, 1 to 10,000.", "whole"],
      ["globalCap", "Cap over all campaigns", "No more calls than this at once, 1 to 10,000.", "whole"],
      ["dialsPerSecond", "Calls started per second", "At most, over all campaigns; 0.01 to 1,000.", "number"],
      ["tickSeconds", "Seconds between two ticks", "How often the scheduler plans calls, 1 to 3,600.", "whole"],
      [
        "silenceTimeoutSeconds",
        "Seconds of silence",
        "A call without any event for so long is checked with the provider, then timed out; 10 to 86,400.",
        "whole",
      ],
    ],
  ],
  [
    "Money and alerts",
    [
      ["dailyBudget", "Daily budget in US dollars", "For all campaigns, per UTC day. Empty: no limit.", "money"],
      ["spendAlertThreshold", "Alert at this share of a budget", "Such as 0.8.", "money"],
      ["alertWebhookUrl", "Address for alerts", "Alerts are posted here as JSON. Empty: none.", "url"],
    ],
  ],
  [
    "Data",
    [
      ["defaultRegion", "Region of numbers without +", "Two letters, such as US.", "text"],
      ["retentionDays", "Days until transcripts are removed", "Recordings and messages too. Empty: for ever.", "whole"],
    ],
  ],
];
/** Fields that the API shows to admins only. */
const ADMINS_ONLY = new Set(["alertWebhookUrl"]);
const MAY_BE_EMPTY = new Set(["dailyBudget", "alertWebhookUrl", "retentionDays"]);

export default function SettingsView() {
  const read = useQuery(SettingsPage, {});
  const settings = read.data?.settings;
  return html`<${Head}
      title="Settings"
      lead=${
        may.admin()
          ? "Changes take effect at once in every process and are recorded in the history."
          : "An admin can change these."
      }
    />
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      !settings
        ? !read.error && html`<${Skeleton} />`
        : html`<${Form} key=${JSON.stringify(settings)} settings=${settings} done=${read.reload} />`
    }`;
}

/** @param {Settings[Name]} value */
const shown = (value) => (value == null ? "" : String(value));

/** @param {{ settings: Settings, done: () => Promise<void> }} props */
function Form({ settings, done }) {
  const fields = GROUPS.flatMap(([, group]) => group);
  const before = Object.fromEntries(fields.map(([name]) => [name, shown(settings[name])]));
  const [form, setForm] = useState(before);
  const [refill, setRefill] = useState(settings.refillImmediately);
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  const changed = fields.filter(([name]) => form[name] !== before[name]);
  useUnsaved(changed.length > 0 || refill !== settings.refillImmediately);
  const save = async () => {
    /** @type {Record<string, string | number | boolean | null>} */
    const input = Object.fromEntries(changed.map(([name, , , kind]) => [name, valueOf(form[name] ?? "", kind)]));
    if (refill !== settings.refillImmediately) input.refillImmediately = refill;
    const gap = changed.find(([name]) => !form[name] && !MAY_BE_EMPTY.has(name));
    if (gap) return setWrong({ [gap[0]]: "This one cannot be empty." });
    const { updateSettings: result } = await request(UpdateSettings, { input });
    if (result.__typename === "UserError") {
      setWrong(Object.fromEntries(result.fields.map((field) => [field.path.at(-1) ?? "", field.message])));
      throw new Error(result.message);
    }
    await done(); // Until then the form counts as not saved.
    toast("Saved.");
  };
  const locked = !may.admin();
  /** @param {(typeof fields)[number]} field */
  const isShown = ([name]) => !locked || !ADMINS_ONLY.has(name);
  return html`<div class="stack">
    ${GROUPS.map(
      ([title, group]) =>
        html`<section key=${title} class="panel">
          <header><h2>${title}</h2></header>
          <div class="form">
            ${group
              .filter(isShown)
              .map(
                ([name, label, hint, kind]) =>
                  html`<${Field} key=${name} label=${label} hint=${hint} error=${wrong[name]}
                    >${(/** @type {any} */ a) =>
                      html`<input
                        ...${a}
                        disabled=${locked}
                        ...${inputOf(kind)}
                        value=${form[name]}
                        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
                          setForm((old) => ({ ...old, [name]: e.currentTarget.value }))}
                      />`}<//
                  >`,
              )}
            ${
              title === "Pace" &&
              html`<div class="full">
                <label class="tick"
                  ><input
                    type="checkbox"
                    disabled=${locked}
                    checked=${refill}
                    onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
                      setRefill(e.currentTarget.checked)}
                  /><span>Fill a free slot at once<span>Otherwise only at the next tick.</span></span></label
                >
              </div>`
            }
          </div>
        </section>`,
    )}
    ${
      !locked &&
      html`<div class="row">
          <${Action} kind="primary" disabled=${!changed.length && refill === settings.refillImmediately} onPress=${save}
            >Save the changes<//
          >
        </div>
        <${Duplicates} />`
    }
  </div>`;
}

/** @param {string} kind */
function inputOf(kind) {
  if (kind === "text") return { type: "text", maxlength: 2 };
  if (kind === "url") return { type: "url" };
  return { type: "number", step: kind === "whole" ? "1" : "any", min: "0" };
}

/** @param {string} text @param {string} kind */
function valueOf(text, kind) {
  if (text === "") return null;
  return kind === "whole" || kind === "number" ? Number(text) : text.trim();
}

function Duplicates() {
  const allow = async () => {
    const { allowRequestsAgain: result } = await request(AllowRequestsAgain, {});
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("Calls may be requested again. Paused campaigns still wait for Resume.");
  };
  return html`<section class="panel">
    <header><h2>After a detected duplicate</h2></header>
    <div class="row between">
      <p class="quiet" style=${{ maxWidth: "70ch" }}>
        When the provider shows two calls under one of ours, no call is requested a second time until a person has
        looked at them. Then allow it here.
      </p>
      <${Action} onPress=${allow}>Allow requests again<//>
    </div>
  </section>`;
}
