// @ts-check
/**
 * Rehearsals that this browser keeps, so that a reload does not lose them.
 * One is kept for a day and only for the member who started it; signing out removes all.
 */
import { LONGEST, transactionsOf } from "./browser_database.js";

/** @typedef {import("./rehearsals.js").Rehearsal} Rehearsal */
/** @typedef {{ member: string, keptAt: number, rehearsal: Rehearsal }} Kept */

const STORE = "rehearsals";
const inTransaction = transactionsOf("autolynx-rehearsals", [STORE]);

/** @param {string} member @param {Rehearsal} rehearsal */
export const keepRehearsal = (member, rehearsal) =>
  inTransaction("readwrite", (store) => store(STORE).put({ member, keptAt: Date.now(), rehearsal }, rehearsal.id));

/**
 * The rehearsal with this id; null if there is none, it is too old or another member started it.
 * @param {string} id
 * @param {string} member
 * @returns {Promise<Rehearsal | null>}
 */
export async function keptRehearsal(id, member) {
  await forgetOld();
  const kept = /** @type {Kept | undefined} */ (await inTransaction("readonly", (store) => store(STORE).get(id)));
  return kept?.member === member ? kept.rehearsal : null;
}

/** Removes the rehearsals that are older than a day. */
async function forgetOld() {
  const oldest = Date.now() - LONGEST;
  await inTransaction("readwrite", (store) => {
    const walking = store(STORE).openCursor();
    walking.onsuccess = () => {
      const cursor = walking.result;
      if (!cursor) return;
      if (cursor.value.keptAt < oldest) cursor.delete();
      cursor.continue();
    };
    return walking;
  });
}

/** @param {string} id */
export const forgetRehearsal = (id) => inTransaction("readwrite", (store) => store(STORE).delete(id));

/** Removes all rehearsals. */
export const forgetRehearsals = () => inTransaction("readwrite", (store) => store(STORE).clear());
