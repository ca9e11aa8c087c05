// @ts-check
import { html } from "../../lib.js";
import { NO_ADVICE } from "../../gate_words.js";
import { Head } from "../../ui.js";
import { Lists } from "./lists.js";
import { LookUp } from "./look_up.js";
import { Register } from "./register.js";

export default function DoNotCallView() {
  return html`<${Head}
      title="Do not call"
      lead=${`Numbers on the register or a list are not called in any campaign. ${NO_ADVICE}`}
    />
    <div class="stack"><${LookUp} /><${Register} /><${Lists} /></div>`;
}
