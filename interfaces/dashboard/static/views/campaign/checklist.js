// @ts-check
import { html, useEffect, useRef, useState } from "../../lib.js";
import { may, useQuery, useSubscription } from "../../api.js";
import { Choices, Health, HealthUpdates } from "../../ops.js";
import { Icon, Skeleton } from "../../ui.js";

/** Interval in which lines and assistants are read again, in milliseconds. */
const EVERY_MS = 5_000;

/** @typedef {{ title: string, done: boolean, help: any }} Item */

/**
 * What an installation without campaigns still needs, in the order in which it is set up.
 * @param {{ isHeard: boolean }} props `isHeard`: a test call was held
 */
export function Checklist({ isHeard }) {
  const health = useQuery(Health, {});
  const choices = useQuery(Choices, {});
  const [pushed, setPushed] = useState(/** @type {import("../../ops.js").HealthData["health"] | null} */ (null));
  useSubscription(HealthUpdates, {}, ({ health }) => setPushed(health));
  const reload = useRef(choices.reload);
  reload.current = choices.reload;
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && reload.current(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (!health.data || !choices.data) return health.error || choices.error ? null : html`<${Skeleton} rows=${4} />`;
  const items = itemsOf(pushed ?? health.data.health, choices.data, isHeard);
  return html`<section class="panel stack" aria-labelledby="checklist">
    <header>
      <h2 id="checklist">Before the first campaign</h2>
      <span class="hint num">${items.filter((one) => one.done).length} of ${items.length} done</span>
    </header>
    <ol class="checklist">
      ${items.map(
        (one) =>
          html`<li key=${one.title} data-done=${one.done ? "" : null}>
            <span class="step-number">${one.done ? html`<${Icon} name="check" />` : ""}</span>
            <div>
              <b>${one.title}</b><span class="sr">${one.done ? ": done" : ": to do"}</span>
              ${!one.done && html`<div class="hint">${one.help}</div>`}
            </div>
          </li>`,
      )}
    </ol>
  </section>`;
}

/**
 * @param {import("../../ops.js").HealthData["health"]} health
 * @param {import("../../ops.js").ChoicesData} choices
 * @param {boolean} isHeard
 * @returns {Item[]}
 */
function itemsOf(health, choices, isHeard) {
  const part = (/** @type {string} */ name) => health.components.find((one) => one.name === name);
  const [provider, webhooks] = [part("provider"), part("webhooks")];
  return [
    {
      title: "The provider accepts the key",
      done: provider?.status === "OK",
      help: provider?.detail ?? "Set the key of the provider in the environment, and restart. See the README.",
    },
    {
      title: "The provider's messages arrive, at a public address and with a secret",
      done: webhooks?.status === "OK",
      help: webhooks?.detail ?? "Set AUTOLYNX_PUBLIC_URL and AUTOLYNX_WEBHOOK_SECRET and restart.",
    },
    {
      title: "There is a line",
      done: choices.phoneNumbers.length > 0,
      help: html`Buy or import a phone number at the provider. <a href="/health">Health and lines</a> shows it.`,
    },
    {
      title: "There is an assistant",
      done: choices.assistants.length > 0,
      help: may.admin()
        ? html`<a href="/assistants">Create an assistant, or import one of the provider</a>.`
        : "An admin creates it, or imports one of the provider.",
    },
    {
      title: "Hear the assistant in a test call",
      done: isHeard,
      help: may.operate()
        ? html`Choose the assistant and the line of a <a href="/campaigns/new">new campaign</a>, then press Test call.`
        : "An operator places it from the page of a new campaign.",
    },
  ];
}
