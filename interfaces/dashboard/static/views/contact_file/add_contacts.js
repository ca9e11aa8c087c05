// @ts-check
import { html, useState } from "../../lib.js";
import { request } from "../../api.js";
import { forget } from "../../contact_file.js";
import { counted } from "../../format.js";
import { ImportContacts } from "../../ops.js";
import { Action, Dialog } from "../../ui.js";
import { settle } from "../campaign/settle.js";
import { FileDrop } from "./file_drop.js";

/** @param {import("../campaign/controls.js").Asked} props */
export function AddContacts({ campaign, reload, onClose }) {
  const [uploaded, setUploaded] = useState(/** @type {import("../../contact_file.js").Upload | null} */ (null));
  const add = async () => {
    const { importContacts: result } = await request(ImportContacts, {
      campaignId: campaign.id,
      uploadId: uploaded?.id ?? "",
    });
    settle(
      result,
      result.__typename === "ImportedCampaign" ? `${counted(result.report.accepted, "contact")} added.` : "",
    );
    await forget(campaign.id);
    onClose();
    reload();
  };
  return html`<${Dialog} title="Add contacts" onClose=${onClose} wide>
    <${FileDrop} place=${campaign.id} onUpload=${setUploaded} />
    <footer>
      <button type="button" onClick=${onClose}>Close</button
      ><${Action} kind="primary" disabled=${!uploaded?.report.accepted} onPress=${add}
        >Add ${uploaded ? counted(uploaded.report.accepted, "contact") : "contacts"}<//
      >
    </footer>
  <//>`;
}
