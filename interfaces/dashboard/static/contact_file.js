// @ts-check
import { me, Refused, request, upload as send } from "./api.js";
import { forgetFile, keepFile, keepReading, keptFile } from "./kept_files.js";
import { useEffect, useRef, useState } from "./lib.js";
import { UnusedUpload } from "./ops.js";
import { toast } from "./ui.js";

/** @typedef {import("./kept_files.js").Choices} Choices */
/** @typedef {{ row: number, reason: string, message: string }} Skipped */
/** @typedef {{ accepted: number, skippedCount: number, rejectsNotKept: number }} Tally */
/**
 * @typedef {{
 *   row: number,
 *   name: string,
 *   businessName: string,
 *   phone: string,
 *   places: string[],
 *   timeZones: string[],
 *   variables: Record<string, string>,
 * }} SampleRow
 */
/**
 * The response of `POST /uploads`.
 * @typedef {{
 *   id: string,
 *   filename: string,
 *   columns: string[],
 *   report: Tally & { skipped: Skipped[], rejectsUrl: string | null },
 *   mapping: { column: string, role: string }[],
 *   region: string,
 *   sample: SampleRow[],
 *   countries: { country: string, contacts: number }[],
 *   kinds: { kind: string, contacts: number }[],
 *   warnings: string[],
 *   sheet: string | null,
 *   sheets: string[],
 *   expiresAt: string,
 * }} Upload
 */
/**
 * `part` is the share of the file that was sent, null if no request is in progress.
 * @typedef {{
 *   restored: boolean,
 *   file: File | null,
 *   choices: Choices,
 *   upload: Upload | null,
 *   refusal: Refused | null,
 *   part: number | null,
 * }} State
 */

/** @type {Choices} */
const NO_CHOICES = { region: "", sheet: "", roles: {} };
/** Each of these roles belongs to one column at most. */
const SHARED_ROLES = new Set(["VARIABLE", "IGNORED"]);
const UNKEPT = "This browser cannot keep the file: do not reload the page before the campaign is created.";

/**
 * The contact file of a page and what the server understood of it. The file stays in this browser until it is used:
 * it is there again after a reload.
 * @param {string} place where the file is kept
 * @param {(upload: Upload | null) => void} onUpload receives null while the file is read
 */
export function useContactFile(place, onUpload) {
  const [state, setState] = useState(
    /** @type {State} */ ({
      ...{ restored: false, file: null, choices: NO_CHOICES },
      ...{ upload: null, refusal: null, part: null },
    }),
  );
  const reading = useRef(new AbortController());
  const notify = useRef(onUpload);
  notify.current = onUpload;
  /** @param {Partial<State>} change */
  const set = (change) => setState((old) => ({ ...old, ...change }));
  const shown = useRef(/** @type {{ upload: Upload, choices: Choices } | null} */ (null));
  /** The upload that the server keeps for this page. */
  const stored = useRef(/** @type {string | null} */ (null));
  /** @param {Upload} upload @param {Choices} choices */
  const show = (upload, choices) => {
    shown.current = { upload, choices };
    stored.current = upload.id;
    set({ restored: true, upload, choices, part: null });
    notify.current(upload);
  };

  const clear = () => {
    shown.current = null;
    set({ upload: null });
  };

  /** @param {File} file @param {Choices} choices */
  const read = async (file, choices) => {
    reading.current.abort();
    const { signal } = (reading.current = new AbortController());
    notify.current(null);
    set({ restored: true, file, choices, refusal: null, part: 0 });
    try {
      const progress = (/** @type {number} */ part) => !signal.aborted && set({ part });
      const upload = await send(file, choices, stored.current, progress, signal);
      show(upload, choices);
      keepReading(place, { choices, upload }).catch(() => {});
    } catch (error) {
      if (signal.aborted) return;
      const refusal = /** @type {Refused} */ (error);
      set({ refusal, part: null });
      if (refusal.code === "MAPPING_NEEDED" || refusal.details.sheets?.length) clear();
      else if (shown.current) show(shown.current.upload, shown.current.choices);
    }
  };

  useEffect(() => {
    restore(place).then((kept) => {
      if (!kept) set({ restored: true });
      else if (!kept.upload) read(kept.file, kept.choices);
      else {
        set({ file: kept.file });
        show(kept.upload, kept.choices);
      }
    });
    return () => reading.current.abort();
  }, [place]);

  return {
    state,
    /** @param {File | undefined} file */
    choose(file) {
      if (!file) return;
      keepFile(place, me.value?.email ?? "", file).catch(() => toast(UNKEPT, "bad"));
      clear();
      read(file, NO_CHOICES);
    },
    /** Reads the file again with other choices. @param {Partial<Choices>} change */
    change(change) {
      if (state.file) read(state.file, { ...state.choices, ...change });
    },
    again() {
      if (state.file) read(state.file, state.choices);
    },
  };
}

/** @param {string} place */
async function restore(place) {
  const kept = await keptFile(place, me.value?.email ?? "").catch(() => null);
  if (!kept?.upload) return kept;
  const { id } = kept.upload;
  const unused = await request(UnusedUpload, { id }).then(
    (data) => data.upload !== null,
    () => true, // The server cannot be asked now, and will answer when the upload is used.
  );
  return { ...kept, upload: unused ? kept.upload : null };
}

/**
 * The roles that the user chose, with one more; other columns lose a role that only one column may have.
 * @param {Record<string, string>} roles
 * @param {string} column
 * @param {string} role
 */
export function withRole(roles, column, role) {
  const others = Object.entries(roles).filter(
    ([name, given]) => name !== column && (given !== role || SHARED_ROLES.has(role)),
  );
  return Object.fromEntries([...others, [column, role]]);
}

/** @param {string} place */
export const forget = (place) => forgetFile(place).catch(() => {});
