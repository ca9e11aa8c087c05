// @ts-check
/** Databases of this browser, in which pages keep what a reload must not lose. */

/** Milliseconds for which pages keep people's data. */
export const LONGEST = 24 * 60 * 60 * 1000;

/** @param {string} name @param {readonly string[]} stores @returns {Promise<IDBDatabase>} */
function open(name, stores) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => stores.forEach((store) => opening.result.createObjectStore(store));
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

/**
 * Returns a function that runs `act` in one transaction of all stores of a database, and resolves with the result of
 * its request after the commit.
 * @param {string} name of the database
 * @param {readonly string[]} stores
 */
export const transactionsOf =
  (name, stores) =>
  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: (name: string) => IDBObjectStore) => IDBRequest<T>} act
   * @returns {Promise<T>}
   */
  async (mode, act) => {
    const database = await open(name, stores);
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction([...stores], mode);
        const request = act((store) => transaction.objectStore(store));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  };
