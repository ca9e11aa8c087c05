// @ts-check
/**
 * Contact files that pages keep in this browser until they are used, so that a reload does not lose them.
 * A file is kept for a day and only for the member who chose it; signing out removes it.
 */
import { LONGEST, transactionsOf } from "./browser_database.js";

/** @typedef {{ region: string, sheet: string, roles: Record<string, string> }} Choices */
/**
 * `upload` is the last response of the server, null if the file was not read with these choices.
 * @typedef {{ choices: Choices, upload: import("./contact_file.js").Upload | null }} Reading
 */
/** @typedef {{ member: string, keptAt: number, file: File } & Reading} Kept */

const FILES = "files";
const READINGS = "readings";
const inTransaction = transactionsOf("autolynx", [FILES, READINGS]);

/**
 * Keeps a file; replaces the one that the place has.
 * @param {string} place
 * @param {string} member
 * @param {File} file
 */
export const keepFile = (place, member, file) =>
  inTransaction("readwrite", (store) => {
    store(READINGS).delete(place);
    return store(FILES).put({ member, keptAt: Date.now(), file }, place);
  });

/** @param {string} place @param {Reading} reading */
export const keepReading = (place, reading) =>
  inTransaction("readwrite", (store) => store(READINGS).put(reading, place));

/**
 * The file of a place; null if there is none, it is too old or another member chose it.
 * @param {string} place
 * @param {string} member
 * @returns {Promise<Kept | null>}
 */
export async function keptFile(place, member) {
  const kept = await inTransaction("readonly", (store) => store(FILES).get(place));
  if (!kept) return null;
  if (kept.member !== member || kept.keptAt + LONGEST < Date.now()) {
    await forgetFile(place);
    return null;
  }
  const reading = await inTransaction("readonly", (store) => store(READINGS).get(place));
  return { ...kept, ...(reading ?? { choices: { region: "", sheet: "", roles: {} }, upload: null }) };
}

/** @param {string} place */
export const forgetFile = (place) =>
  inTransaction("readwrite", (store) => {
    store(READINGS).delete(place);
    return store(FILES).delete(place);
  });

/** Removes the files of all places. */
export const forgetFiles = () =>
  inTransaction("readwrite", (store) => {
    store(READINGS).clear();
    return store(FILES).clear();
  });
