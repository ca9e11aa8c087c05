// @ts-check
import { html, useState } from "../../lib.js";
import { may, request, useQuery } from "../../api.js";
import { calendarDate, count, counted, words } from "../../format.js";
import { purposeWords } from "../../gate_words.js";
import { RemoveSuppressionList, SuppressionLists } from "../../ops.js";
import { Action, Dialog, Empty, Id, Skeleton, Time, toast, Trouble } from "../../ui.js";
import { ListUpload } from "./list_upload.js";

/** @typedef {import("../../ops.js").SuppressionListsData["suppressionLists"][number]} List */
const DAY = 24 * 60 * 60 * 1000;

/** Imported lists, such as a national do-not-call registry. */
export function Lists() {
  const read = useQuery(SuppressionLists, {});
  const [uploading, setUploading] = useState(false);
  const [removing, setRemoving] = useState(/** @type {List | null} */ (null));
  const lists = read.data?.suppressionLists;
  return html`<section class="panel flush" aria-labelledby="lists">
    <header>
      <h2 id="lists">Lists</h2>
      ${
        may.admin() &&
        html`<button type="button" class="primary" onClick=${() => setUploading(true)}>Upload a list</button>`
      }
    </header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      !lists
        ? !read.error && html`<div class="inset"><${Skeleton} rows=${3} /></div>`
        : lists.length
          ? html`<${Table} lists=${lists} onRemove=${setRemoving} />`
          : html`<${Empty} icon="blocked" title="No list yet"
              ><p>
                An admin uploads a national registry, or a list of a customer's. Numbers on a list are not called.
              </p><//
            >`
    }
    ${uploading && html`<${ListUpload} onClose=${() => setUploading(false)} done=${read.reload} />`}
    ${removing && html`<${Remove} list=${removing} onClose=${() => setRemoving(null)} done=${read.reload} />`}
  </section>`;
}

/** The last day on which a list is fresh. @param {List} list */
const expiryOf = ({ asOf, maxAgeDays }) =>
  maxAgeDays == null ? null : new Date(Date.parse(asOf) + maxAgeDays * DAY).toISOString().slice(0, 10);

/** Whole days since the date of the data. @param {List} list */
const ageOf = ({ asOf }) => Math.max(0, Math.floor((Date.now() - Date.parse(asOf)) / DAY));

/** @param {{ lists: List[], onRemove: (list: List) => void }} props */
const Table = ({ lists, onRemove }) =>
  html`<table class="table stacked">
    <thead>
      <tr>
        <th>List</th>
        <th class="num">Numbers</th>
        <th>Data of</th>
        <th>Covers</th>
        <th>Uploaded</th>
        <th><span class="sr">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${lists.map((one) => html`<${Row} key=${one.id} list=${one} onRemove=${onRemove} />`)}
    </tbody>
  </table>`;

/** @type {Record<List["freshness"], string>} */
const TONES = { FRESH: "OK", EXPIRING: "DEGRADED", STALE: "DOWN" };

/** @param {{ list: List, onRemove: (list: List) => void }} props */
function Row({ list, onRemove }) {
  const expiry = expiryOf(list);
  return html`<tr>
    <td class="main">
      <b>${list.name}</b>
      <span>${purposeWords(list.purposes)}</span>
      <span>SHA-256 <${Id} id=${list.sha256} label=${`Hash of ${list.name}`} /></span>
    </td>
    <td class="num" data-label="Numbers">${count(list.numbers)}</td>
    <td data-label="Data of">
      ${calendarDate(list.asOf)} <span class="quiet">(${counted(ageOf(list), "day")} old)</span>
      <div>
        <span class="state" data-state=${TONES[list.freshness]}><i></i>${words(list.freshness)}</span>
      </div>
      <div class="hint">
        ${
          expiry === null
            ? "does not expire"
            : list.freshness === "STALE"
              ? `expired after ${calendarDate(expiry)}: numbers that it covers are not called until it is renewed`
              : `fresh until ${calendarDate(expiry)}`
        }
      </div>
    </td>
    <td data-label="Covers">${list.covers.length ? list.covers.join(", ") : "all numbers"}</td>
    <td data-label="Uploaded"><${Time} at=${list.uploadedAt} /> <span class="quiet">by ${list.uploadedBy}</span></td>
    <td>
      ${
        may.admin() &&
        html`<button
          type="button"
          class="small danger"
          aria-label=${`Remove ${list.name}`}
          onClick=${() => onRemove(list)}
        >
          Remove
        </button>`
      }
    </td>
  </tr>`;
}

/** @param {{ list: List, onClose: () => void, done: () => void }} props */
function Remove({ list, onClose, done }) {
  const remove = async () => {
    const { removeSuppressionList: result } = await request(RemoveSuppressionList, { id: list.id });
    if (result.__typename === "UserError") throw new Error(result.message);
    toast(`${list.name} is removed.`);
    onClose();
    done();
  };
  return html`<${Dialog} title=${`Remove ${list.name}?`} onClose=${onClose}>
    <p>
      Its ${counted(list.numbers, "number")} may be called again, unless the register or another list contains them.
      Records of calls that name the list are kept.
    </p>
    <footer>
      <button type="button" onClick=${onClose}>Keep it</button
      ><${Action} kind="danger primary" onPress=${remove}>Remove<//>
    </footer><//
  >`;
}
