// @ts-check
import { html, useEffect, useState } from "../lib.js";
import { post, Refused } from "../api.js";
import { query } from "../route.js";
import { Action, Icon, toast } from "../ui.js";

const ADDRESS = "/audit/verify";
const INTERVAL = 1_500;

/** @typedef {{ running: boolean, failure: string | null }} State */

/** @returns {Promise<State>} */
async function stateNow() {
  const answer = await fetch(ADDRESS, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Refused("INTERNAL", `The server answered ${answer.status}.`);
  return answer.json();
}

/**
 * Verifies the history, and downloads all events, or those of the filtered campaign.
 * @param {{ done: () => void }} props
 */
export function Evidence({ done }) {
  const [running, setRunning] = useState(false);
  useEffect(
    () =>
      void stateNow().then(
        // The answer may be older than a press of the button, so it never ends a verification.
        (state) => state.running && setRunning(true),
        () => {},
      ),
    [],
  );
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(async () => {
      const state = await stateNow().catch(() => null);
      if (!state || state.running) return;
      setRunning(false);
      if (state.failure) toast(state.failure.replace(/^autolynx: /, ""), "bad");
      done();
    }, INTERVAL);
    return () => clearInterval(timer);
  }, [running]);
  const verify = async () => {
    const answer = await post(ADDRESS, {});
    if (!answer.ok) throw new Refused("INTERNAL", `The server answered ${answer.status}.`);
    setRunning(true);
  };
  const campaign = query("campaign");
  const address = `/audit/evidence.jsonl${campaign ? `?campaign=${encodeURIComponent(campaign)}` : ""}`;
  return html`<${Action} icon="check" disabled=${running} onPress=${verify}>${running ? "Verifying…" : "Verify now"}<//
    ><a class="button" href=${address} download
      ><${Icon} name="download" />${campaign ? "Evidence of the campaign" : "Download the evidence"}</a
    >`;
}
