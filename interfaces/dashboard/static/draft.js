// @ts-check
/** The form of a new campaign that this browser keeps for one member while the page is left. */
const KEY = "new-campaign";

/** @param {string} member @returns {Record<string, any> | null} */
export function keptDraft(member) {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return kept?.member === member ? kept.form : null;
  } catch {
    return null; // A browser without storage keeps no draft.
  }
}

/** @param {string} member @param {Record<string, any>} form */
export function keepDraft(member, form) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ member, form }));
  } catch {
    // A browser without storage keeps the form until the page is left.
  }
}

export function forgetDraft() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
