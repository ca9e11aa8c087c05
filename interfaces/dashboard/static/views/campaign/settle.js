// @ts-check
import { toast } from "../../ui.js";

/**
 * Shows that a command was executed; throws the reason if it was refused.
 * @template {{ __typename: string, message?: string }} R
 * @param {R} result
 * @param {string} done
 * @returns {Exclude<R, { __typename: "UserError" }>}
 */
export function settle(result, done) {
  if (result.__typename === "UserError") throw new Error(result.message);
  toast(done);
  return /** @type {any} */ (result);
}
