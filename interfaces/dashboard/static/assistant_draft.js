// @ts-check
import { useEffect, useRef, useState } from "./lib.js";
import { request } from "./api.js";
import { AssistantDraft } from "./ops.js";

/** @typedef {import("./ops.js").AssistantDraftData["assistantDraft"]["form"]} Fields */
/** @typedef {Partial<Fields>} Changes */

const NOT_JSON = "This is not a JSON object. Look for a missing comma, quote or bracket.";

/**
 * An assistant that is being edited, as form fields and as JSON. The server writes fields into the JSON and reads them
 * from it, because only it knows the provider's format.
 * @param {object | null} config null for a new assistant
 */
export function useAssistantDraft(config) {
  const draft = useRef({
    text: "",
    fields: /** @type {Fields | null} */ (null),
    /** Fields that the member changed. */
    changed: /** @type {Changes} */ ({}),
    /** Those of them that the JSON lacks so far. */
    unwritten: /** @type {Changes} */ ({}),
    isJsonEdited: false,
    edits: 0,
    wrong: "",
  }).current;
  const [, redraw] = useState(0);
  const show = () => redraw((n) => n + 1);

  /** @param {object | null} from */
  const read = async (from) => {
    const { edits } = draft;
    const { assistantDraft } = await request(AssistantDraft, { config: from, form: draft.unwritten });
    // After a further edit, the answer is outdated; that edit is followed by another request.
    if (draft.edits !== edits) return false;
    draft.text = JSON.stringify(assistantDraft.config, null, 2);
    draft.fields = assistantDraft.form;
    draft.unwritten = {};
    draft.wrong = "";
    show();
    return true;
  };

  useEffect(() => {
    read(config).catch(failed);
  }, []);

  /** @param {Error} error */
  const failed = (error) => {
    draft.wrong = error.message;
    show();
  };

  return {
    ...draft,
    /** @param {keyof Fields} name @param {string | number} value */
    setField(name, value) {
      draft.edits += 1;
      draft.changed = { ...draft.changed, [name]: value };
      draft.unwritten = { ...draft.unwritten, [name]: value };
      draft.fields = /** @type {Fields} */ ({ ...draft.fields, [name]: value });
      show();
    },
    /** @param {string} text */
    setText(text) {
      draft.edits += 1;
      draft.isJsonEdited = true;
      draft.text = text;
      show();
    },
    /** Makes fields and JSON equal; returns what to save, null if something is wrong. */
    async settle() {
      try {
        while (!(await read(objectOf(draft.text))));
      } catch (error) {
        failed(/** @type {Error} */ (error));
        return null;
      }
      // Fields alone leave the secrets at the provider, which the shown JSON lacks, as they are.
      return draft.isJsonEdited ? { config: objectOf(draft.text) } : { form: draft.changed };
    },
    failed,
  };
}

/** @param {string} text @returns {object} */
function objectOf(text) {
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(NOT_JSON);
  }
  if (!value || typeof value !== "object" || Array.isArray(value)) throw new Error(NOT_JSON);
  return value;
}
