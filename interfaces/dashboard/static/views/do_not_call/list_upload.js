// @ts-check
import { html, useEffect, useRef, useState } from "../../lib.js";
import { request, sendFile } from "../../api.js";
import { counted, share } from "../../format.js";
import { PURPOSES } from "../../gate_words.js";
import { SuppressionLists } from "../../ops.js";
import { Action, Dialog, Field, Icon, toast } from "../../ui.js";

/** @typedef {import("../../gate_words.js").CallPurpose} Purpose */
/** @typedef {{ name: string, asOf: string, maxAgeDays: string, covers: string }} Terms */

/** The address that receives a list with these terms. @param {Terms} terms @param {Purpose[]} purposes */
function addressOf({ name, asOf, maxAgeDays, covers }, purposes) {
  const query = new URLSearchParams({ name: name.trim(), asOf });
  if (maxAgeDays) query.set("maxAgeDays", maxAgeDays);
  for (const prefix of covers.split(/[\s,;]+/).filter(Boolean)) query.append("covers", prefix);
  for (const purpose of purposes) query.append("purpose", purpose);
  return `/suppression-lists?${query}`;
}

/** Attempts to read the stored list, and milliseconds between them; the displayed data may lag. */
const [ATTEMPTS, PAUSE] = [30, 300];

/** @param {{ id: string, sha256: string }} list */
async function untilShown(list) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { suppressionLists } = await request(SuppressionLists, {});
    if (suppressionLists.some((one) => one.id === list.id && one.sha256 === list.sha256)) return;
    await new Promise((wake) => setTimeout(wake, PAUSE));
  }
}

/**
 * Receives a list of numbers; it replaces the list of the same name once it is stored completely.
 * @param {{ onClose: () => void, done: () => void }} props
 */
export function ListUpload({ onClose, done }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [terms, setTerms] = useState({ name: "", asOf: "", maxAgeDays: "31", covers: "" });
  const [purposes, setPurposes] = useState(/** @type {Purpose[]} */ ([]));
  const [part, setPart] = useState(/** @type {number | null} */ (null));
  const [wrong, setWrong] = useState("");
  const sending = useRef(new AbortController());
  useEffect(() => () => sending.current.abort(), []);
  const send = async () => {
    sending.current = new AbortController();
    setWrong("");
    setPart(0);
    try {
      const list = await sendFile(
        addressOf(terms, purposes),
        /** @type {File} */ (file),
        setPart,
        sending.current.signal,
      );
      await untilShown(list);
      toast(`${list.name} is active: ${counted(list.numbers, "number is", "numbers are")} not called.`);
      onClose();
      done();
    } catch (error) {
      if (!sending.current.signal.aborted) setWrong(/** @type {Error} */ (error).message);
    } finally {
      setPart(null);
    }
  };
  const ready = file && terms.name.trim() && terms.asOf;
  return html`<${Dialog} title="Upload a list" onClose=${onClose}>
    <p>
      Text, CSV or a zip file of them, with one number in each row. The list takes effect only once all of it is stored,
      and then replaces the list of the same name.
    </p>
    <${Field} label="File"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="file"
          accept=".txt,.csv,.zip,text/plain,text/csv"
          onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) =>
            setFile(e.currentTarget.files?.[0] ?? null)}
        />`}<//
    >
    <${TermFields} terms=${terms} set=${setTerms} />
    <${PurposeFields} purposes=${purposes} set=${setPurposes} />
    ${
      wrong &&
      html`<div class="banner" data-kind="bad" role="alert">
        <${Icon} name="warning" />
        <p>${wrong} The list before is still in effect.</p>
      </div>`
    }
    ${part !== null && html`<${Progress} part=${part} />`}
    <footer>
      <button type="button" onClick=${onClose}>${part === null ? "Discard" : "Stop the upload"}</button
      ><${Action} kind="primary" icon="upload" disabled=${!ready} onPress=${send}>Upload and activate<//>
    </footer><//
  >`;
}

/** @param {{ terms: Terms, set: (change: (old: Terms) => Terms) => void }} props */
function TermFields({ terms, set }) {
  /** @param {keyof Terms} name */
  const bind = (name) => ({
    value: terms[name],
    onInput: (/** @type {{ currentTarget: HTMLInputElement }} */ e) => {
      const { value } = e.currentTarget;
      set((old) => ({ ...old, [name]: value }));
    },
  });
  return html`<div class="form">
    <${Field} label="Name">${(/** @type {any} */ a) => html`<input ...${a} ...${bind("name")} maxlength="100" />`}<//>
    <${Field} label="Date of the data" hint="Not of the upload"
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("asOf")} type="date" />`}<//
    >
    <${Field} label="Days until it expires" hint="Empty: never. Numbers that an expired list covers are not called."
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("maxAgeDays")} type="number" min="1" />`}<//
    >
    <${Field} label="Covers these prefixes" hint="Such as +1202, +1305. Empty: all numbers."
      >${(/** @type {any} */ a) => html`<input ...${a} ...${bind("covers")} />`}<//
    >
  </div>`;
}

/** @param {{ purposes: Purpose[], set: (change: (old: Purpose[]) => Purpose[]) => void }} props */
const PurposeFields = ({ purposes, set }) =>
  html`<fieldset>
    <legend>Restricts campaigns for</legend>
    <p class="hint">None chosen: all purposes.</p>
    ${PURPOSES.map(
      ([code, text]) =>
        html`<label class="tick" key=${code}
          ><input
            type="checkbox"
            checked=${purposes.includes(code)}
            onChange=${() => set((old) => (old.includes(code) ? old.filter((one) => one !== code) : [...old, code]))}
          /><span>${text}</span></label
        >`,
    )}
  </fieldset>`;

/** @param {{ part: number }} props */
const Progress = ({ part }) =>
  html`<div role="status">
    <p class="hint num">${part < 1 ? `Sending: ${share(part, 1)}` : "Storing and activating the list"}</p>
    <div
      class="gauge"
      role="progressbar"
      aria-label="Uploading the list"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(part * 100)}
    >
      <i style=${{ width: `${part * 100}%` }}></i>
    </div>
  </div>`;
