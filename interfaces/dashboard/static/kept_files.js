// @ts-check
/**
 * Contact files that pages keep in this browser until they are used, so that a reload does not lose them.
 * A file is kept for a day and only for the member who chose it; signing out removes it.
 */

/** @typedef {{ region: string, sheet: string, roles: Record<string, string> }} Choices */
/**
 * `upload` is the last response of the server, null if the file was not read with these choices.
 * @typedef {{ choices: Choices, upload: import("./contact_file.js").Upload | null }} Reading
 */
/** @typedef {{ member: string, keptAt: number, file: File } & Reading} Kept */

const DATABASE = "autolynx";
const FILES = "files";
const READINGS = "readings";
/** Milliseconds; the server keeps an upload for the same time. */
const LONGEST = 24 * 60 * 60 * 1000;

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => [FILES, READINGS].forEach((name) => opening.result.createObjectStore(name));
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

/**
 * Runs `act` in one transaction; resolves with the result of its request after the commit.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: (name: string) => IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>}
 */
async function inTransaction(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction([FILES, READINGS], mode);
      const request = act((name) => transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

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
