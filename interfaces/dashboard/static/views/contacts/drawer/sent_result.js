// @ts-check
import { useEffect, useRef, useSignal } from "../../../lib.js";
import { request } from "../../../api.js";
import { SetDisposition } from "../../../ops.js";
import { settle } from "../../campaign/settle.js";

/** @typedef {import("../../../ops.js").Disposition} Disposition */
/** @typedef {{ disposition: Disposition | null, note: string | null }} Result */
/**
 * A result that was sent; `older` are the texts of the results that the contact may still show instead.
 * @typedef {Result & { older: ReadonlySet<string> }} Sent
 */

/** @param {Result} result */
const textOf = ({ disposition, note }) => `${disposition}\n${note}`;

/**
 * The disposition and the note of a contact, and `send`, which changes one of them.
 *
 * Each request sets both, and the contact shows a change some time after it was made. Therefore the result that was
 * sent is used until the contact shows it, and a request waits for the one before. A change that fails is withdrawn.
 * @param {{ id: string } & Result} contact
 * @param {() => void} reload
 * @returns {Result & { send: (change: Partial<Result>, done: string) => Promise<void> }}
 */
export function useResult(contact, reload) {
  const read = useRef(/** @type {Result} */ (contact));
  read.current = contact;
  const sent = useSignal(/** @type {Sent | null} */ (null));
  const before = useRef(Promise.resolve());
  const shown = textOf(contact);
  useEffect(() => {
    if (sent.value && !sent.value.older.has(shown)) sent.value = null;
  }, [shown]);
  const newest = () => (sent.value?.older.has(textOf(read.current)) ? sent.value : read.current);
  /** @param {Partial<Result>} change */
  const put = (change) => {
    const old = newest();
    const { disposition, note } = { ...old, ...change };
    const older = new Set(old === sent.value ? sent.value.older : []).add(textOf(old));
    older.delete(textOf({ disposition, note }));
    sent.value = { disposition, note, older };
    return { disposition, note };
  };
  /** @param {Partial<Result>} change @param {string} done */
  const store = async (change, done) => {
    try {
      settle((await request(SetDisposition, { contactId: contact.id, ...put(change) })).setDisposition, done);
    } catch (error) {
      sent.value = null; // What is read next shows whether it was stored.
      throw error;
    } finally {
      reload();
    }
  };
  const { disposition, note } = newest();
  return {
    disposition,
    note,
    send: (change, done) => {
      put(change);
      const stored = before.current.then(() => store(change, done));
      before.current = stored.catch(() => {});
      return stored;
    },
  };
}
