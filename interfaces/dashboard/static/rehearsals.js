// @ts-check
import { signal } from "./lib.js";
import { subscribe } from "./api.js";
import { RehearseCampaign } from "./ops.js";

/** @typedef {import("./ops.js").CreateCampaignInput} Input */
/** @typedef {import("./ops.js").RehearseCampaignData["rehearsal"]} Progress */
/** @typedef {import("./ops.js").RehearsalScenario} Scenario */
/** @typedef {{ name: string, scenario: Scenario, now: Progress | null, wrong: string }} Rehearsal */

/** The rehearsal of this browser tab. It is stored nowhere else, since it contains people's data. */
export const rehearsal = signal(/** @type {Rehearsal | null} */ (null));

let end = () => {};

/** Start a rehearsal in place of the one before. @param {Input} input @param {Scenario} scenario */
export function rehearse(input, scenario) {
  drop();
  const begun = { name: input.name, scenario, now: null, wrong: "" };
  rehearsal.value = begun;
  /** @param {Partial<Rehearsal>} news */
  const change = (news) => {
    if (rehearsal.value?.name === begun.name) rehearsal.value = { ...rehearsal.value, ...news };
  };
  end = subscribe(
    RehearseCampaign,
    { input, scenario },
    ({ rehearsal: now }) => change({ now }),
    (wrong) => change({ wrong }),
  );
}

/** End the rehearsal and forget its results. */
export function drop() {
  end();
  end = () => {};
  rehearsal.value = null;
}
