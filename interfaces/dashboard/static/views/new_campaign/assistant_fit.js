// @ts-check
import { html } from "../../lib.js";
import { useQuery } from "../../api.js";
import { CallPreview } from "../../ops.js";
import { Icon } from "../../ui.js";

/**
 * Which variables the assistant uses that the file or some of its rows lack, and how the assistant greets the first
 * contact.
 * @param {{ uploadId: string, assistantId: string }} props
 */
export function AssistantFit({ uploadId, assistantId }) {
  const { data } = useQuery(CallPreview, { upload: uploadId, assistant: assistantId });
  const preview = data?.callPreview;
  if (!preview) return null;
  const { row, firstMessage, unused, lacking, missing } = preview;
  return html`<div class="stack fit" role="status">
    ${
      lacking.length > 0 &&
      html`<${Warning}
        text=${
          `The assistant uses ${listed(lacking)}, which the file lacks. Add ` +
          `${lacking.length > 1 ? "columns of that name" : "a column of that name"}, or change the assistant.`
        }
      />`
    }
    ${missing.map(({ variable, message }) => html`<${Warning} key=${variable} text=${message} />`)}
    ${firstMessage && html`<p class="hint">Row ${row} hears first: “${firstMessage}”</p>`}
    ${unused.length > 0 && html`<p class="hint">The assistant does not use ${listed(unused)}.</p>`}
  </div>`;
}

/** @param {{ text: string }} props */
const Warning = ({ text }) =>
  html`<div class="banner" data-kind="warn">
    <${Icon} name="warning" />
    <p>${text}</p>
  </div>`;

/** @param {string[]} names */
const listed = (names) => new Intl.ListFormat("en").format(names.map((name) => `“${name}”`));
