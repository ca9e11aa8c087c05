// @ts-check
import { html, useEffect } from "../../lib.js";
import { useQuery, useThrottled } from "../../api.js";
import { count, counted, share } from "../../format.js";
import { CampaignAnswerRates } from "../../ops.js";

const [WIDE, HIGH] = [240, 80];

/**
 * The share of answered calls by the hour of the contact's day.
 * @param {{ id: string, now: () => { position: number } }} props
 */
export function AnswerRates({ id, now }) {
  const read = useQuery(CampaignAnswerRates, { id });
  const again = useThrottled(read.reload, 10_000);
  const { position } = now();
  useEffect(() => {
    if (read.data) again();
  }, [position]);
  const rates = (read.data?.campaign?.answerRates ?? []).filter((one) => one.calls > 0);
  if (!rates.length) return null;
  const best = rates.reduce((a, b) => (b.answered / b.calls > a.answered / a.calls ? b : a));
  const summary = `Most calls are answered from ${clock(best.hour)}: ${share(best.answered, best.calls)}.`;
  return html`<section class="panel" aria-labelledby="answered">
    <header>
      <h2 id="answered">Answered by hour</h2>
      <span class="hint">of the contact's day</span>
    </header>
    <svg
      class="chart hours"
      viewBox=${`0 0 ${WIDE} ${HIGH}`}
      preserveAspectRatio="none"
      role="img"
      aria-label=${summary}
    >
      <line class="axis" x1="0" x2=${WIDE} y1=${HIGH} y2=${HIGH} />
      ${rates.map((one) => {
        const tall = (one.answered / one.calls) * (HIGH - 4);
        return html`<g key=${one.hour}
          ><title>${hourWords(one)}</title>
          <rect class="hit" x=${one.hour * 10} y="0" width="10" height=${HIGH} />
          <rect data-state="ENDED" x=${one.hour * 10 + 1} y=${HIGH - tall} width="8" height=${tall} rx="1"
        /></g>`;
      })}
    </svg>
    <div class="chart-words"><span>0:00</span><span>12:00</span><span>24:00</span></div>
    <p class="hint">${summary}</p>
  </section>`;
}

/** @param {{ hour: number, calls: number, answered: number, human: number }} one */
const hourWords = ({ hour, calls, answered, human }) =>
  `${clock(hour)}: ${count(answered)} of ${counted(calls, "call")} answered, ${count(human)} by a person`;

/** @param {number} hour */
const clock = (hour) => `${hour}:00`;
