// @ts-check
import { html, useState } from "../../lib.js";
import { may, request, useQuery } from "../../api.js";
import { LiftSuppression, Suppressions, SuppressNumber } from "../../ops.js";
import { Pager } from "../../pager.js";
import { query, setQuery } from "../../route.js";
import { Action, Dialog, Empty, Field, Search, Skeleton, Time, toast, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").SuppressionsData["suppressions"]["nodes"][number]} Entry */

/** How a number came onto the register. @type {Record<Entry["source"], string>} */
const SOURCES = { CALL: "in a call", PERSON: "by a member", IMPORT: "from a file", API: "by a program" };

/** The installation's own register: people who opted out and numbers that members entered. */
export function Register() {
  const [search, after] = [query("q"), query("after")];
  const read = useQuery(Suppressions, { search: search || null, after: after || null });
  const [adding, setAdding] = useState(false);
  const [lifting, setLifting] = useState(/** @type {Entry | null} */ (null));
  const page = read.data?.suppressions;
  return html`<section class="panel flush" aria-labelledby="register">
    <header>
      <h2 id="register">Register</h2>
      <div class="row">
        <${Search}
          label="Search digits of a number"
          value=${search}
          onText=${(/** @type {string} */ q) => setQuery({ q, after: null })}
        />
        ${
          may.operate() &&
          html`<button type="button" class="primary" onClick=${() => setAdding(true)}>Add a number</button>`
        }
      </div>
    </header>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${
      !page
        ? !read.error && html`<div class="inset"><${Skeleton} rows=${3} /></div>`
        : !page.nodes.length
          ? html`<${Empty} icon=${search ? "search" : "blocked"} title=${search ? "No number matches" : "Nobody yet"}
              ><p>People who opt out in a call are added here by themselves.</p><//
            >`
          : html`<${Entries} entries=${page.nodes} onLift=${setLifting} /><${Pager}
                shown=${page.nodes.length}
                total=${page.totalCount}
                capped=${Boolean(search)}
                info=${page.pageInfo}
              />`
    }
    ${adding && html`<${Add} onClose=${() => setAdding(false)} done=${read.reload} />`}
    ${lifting && html`<${Lift} entry=${lifting} onClose=${() => setLifting(null)} done=${read.reload} />`}
  </section>`;
}

/** @param {{ entries: Entry[], onLift: (entry: Entry) => void }} props */
const Entries = ({ entries, onLift }) =>
  html`<table class="table stacked">
    <thead>
      <tr>
        <th>Number</th>
        <th>Added</th>
        <th>Reason</th>
        <th><span class="sr">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${entries.map(
        (one) =>
          html`<tr key=${one.id}>
            <td class="main"><b class="num nowrap">${one.phone || "Erased number"}</b></td>
            <td data-label="Added">
              <${Time} at=${one.addedAt} /> <span class="quiet">${SOURCES[one.source]}, ${one.addedBy}</span>
            </td>
            <td data-label="Reason">${one.reason ?? "–"}</td>
            <td>
              ${
                may.admin() &&
                html`<button
                  type="button"
                  class="small"
                  aria-label=${`Lift ${one.phone || "the erased number"}`}
                  onClick=${() => onLift(one)}
                >
                  Lift
                </button>`
              }
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;

/** @param {{ onClose: () => void, done: () => void }} props */
function Add({ onClose, done }) {
  const [phone, setPhone] = useState("");
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState("");
  const add = async () => {
    const { suppressNumber: result } = await request(SuppressNumber, {
      phone: phone.trim(),
      reason: reason.trim() || null,
    });
    if (result.__typename === "UserError") return setWrong(result.message);
    toast(`${result.phone} is not called any more. Calls in progress continue.`);
    onClose();
    done();
  };
  return html`<${Dialog} title="Add a number to the register" onClose=${onClose}>
    <p>It is not called again in any campaign. Calls in progress continue to their end.</p>
    <${Field} label="Phone number" error=${wrong} hint="As you write it, such as (202) 555-0101"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="tel"
          value=${phone}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setPhone(e.currentTarget.value)}
        />`}<//
    >
    <${Field} label="Reason" hint="Optional; shown to members"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${reason}
          maxlength="500"
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setReason(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!phone.trim()} onPress=${add}>Add<//>
    </footer><//
  >`;
}

/** @param {{ entry: Entry, onClose: () => void, done: () => void }} props */
function Lift({ entry, onClose, done }) {
  const [reason, setReason] = useState("");
  const lift = async () => {
    const { liftSuppression: result } = await request(LiftSuppression, { id: entry.id, reason: reason.trim() });
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("The number may be called again, unless a list contains it.");
    onClose();
    done();
  };
  return html`<${Dialog} title=${`Lift ${entry.phone || "the erased number"}?`} onClose=${onClose}>
    <p>
      The number may be called again in all campaigns, unless a list contains it. Your name and the reason are recorded.
    </p>
    <${Field} label="Reason"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          value=${reason}
          maxlength="500"
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setReason(e.currentTarget.value)}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Keep it</button
      ><${Action} kind="danger primary" disabled=${!reason.trim()} onPress=${lift}>Lift<//>
    </footer><//
  >`;
}
