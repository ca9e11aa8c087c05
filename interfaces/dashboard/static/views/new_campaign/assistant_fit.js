// @ts-check
import { html } from "../../lib.js";
import { useQuery } from "../../api.js";
import { CallPreview } from "../../ops.js";
import { Icon } from "../../ui.js";

/**
 * Which variables the assistant uses that the file's first contact lacks, and how the assistant greets this contact.
 * @param {{ uploadId: string, assistantId: string }} props
 */
export function AssistantFit({ uploadId, assistantId }) {
  const { data } = useQuery(CallPreview, { upload: uploadId, assistant: assistantId });
  const preview = data?.callPreview;
  if (!preview) return null;
  const { row, firstMessage, unfilled, unused } = preview;
  return html`<div class="stack fit" role="status">
    ${
      unfilled.length > 0 &&
      html`<div class="banner" data-kind="warn">
        <${Icon} name="warning" />
        <p>
          The assistant uses ${listed(unfilled)}, which row ${row} of the file lacks. Add the
          ${unfilled.length > 1 ? " columns" : " column"}, or change the assistant.
        </p>
      </div>`
    }
    ${firstMessage && html`<p class="hint">Row ${row} hears first: “${firstMessage}”</p>`}
    ${unused.length > 0 && html`<p class="hint">The assistant does not use ${listed(unused)}.</p>`}
  </div>`;
}

/** @param {string[]} names */
const listed = (names) => new Intl.ListFormat("en").format(names.map((name) => `“${name}”`));
