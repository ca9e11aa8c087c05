// @ts-check
import { signal } from "./lib.js";
import { me, subscribe } from "./api.js";
import { forgetRehearsal, keepRehearsal, keptRehearsal } from "./kept_rehearsals.js";
import { RehearseCampaign } from "./ops.js";

/** @typedef {import("./ops.js").CreateCampaignInput} Input */
/** @typedef {import("./ops.js").RehearseCampaignData["rehearsal"]} Progress */
/** @typedef {import("./ops.js").RehearsalScenario} Scenario */
/** @typedef {{ id: string, input: Input, scenario: Scenario, now: Progress | null, wrong: string }} Rehearsal */

/** The rehearsal that this browser tab runs or shows. It is stored only in this browser: it contains people's data. */
export const rehearsal = signal(/** @type {Rehearsal | null} */ (null));
/** The id of a rehearsal that was not found. */
export const missing = signal("");

const member = () => me.value?.email ?? "";

/**
 * How often and after how many milliseconds a rehearsal is started again: the server runs one at a time, and the one
 * from before the reload may not have ended yet.
 */
const [RESTARTS, RESTART_AFTER] = [10, 1_000];

let end = () => {};
let restart = 0;

/** Starts a rehearsal; returns its id. @param {Input} input @param {Scenario} scenario */
export function rehearse(input, scenario) {
  const begun = { id: crypto.randomUUID(), input, scenario, now: null, wrong: "" };
  keep(begun);
  run(begun);
  return begun.id;
}

/**
 * Shows the rehearsal with this id. If the page was reloaded before it had a result, it is run again from the
 * beginning, with the same calls.
 * @param {string} id
 */
export async function showRehearsal(id) {
  if (rehearsal.value?.id === id) return;
  const kept = await keptRehearsal(id, member()).catch(() => null);
  if (!kept) missing.value = id;
  else if (kept.now?.result) replace(kept);
  else run({ ...kept, now: null, wrong: "" }, RESTARTS);
}

/** Shows another rehearsal; the one before ends. @param {Rehearsal | null} next */
function replace(next) {
  end();
  end = () => {};
  clearTimeout(restart);
  rehearsal.value = next;
}

/** Runs the rehearsal that is shown once more, after an error. */
export const again = () => rehearsal.value && run({ ...rehearsal.value, now: null, wrong: "" });

/** @param {Rehearsal} begun @param {number} [restarts] after errors */
function run(begun, restarts = 0) {
  replace(begun);
  /** @param {Partial<Rehearsal>} news */
  const change = (news) => {
    if (rehearsal.value?.id === begun.id) rehearsal.value = { ...rehearsal.value, ...news };
  };
  end = subscribe(
    RehearseCampaign,
    { input: begun.input, scenario: begun.scenario },
    ({ rehearsal: now }) => {
      change({ now });
      if (now.result) keep({ ...begun, now });
    },
    (wrong) => {
      if (restarts) restart = window.setTimeout(() => run(begun, restarts - 1), RESTART_AFTER);
      else change({ wrong });
    },
  );
}

/** A browser without storage shows the rehearsal until the page is left. @param {Rehearsal} one */
const keep = (one) => void keepRehearsal(member(), one).catch(() => {});

/** Ends the rehearsal and forgets its results. */
export async function drop() {
  const dropped = rehearsal.value;
  replace(null);
  if (dropped) await forgetRehearsal(dropped.id).catch(() => {});
}
