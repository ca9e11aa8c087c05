// @ts-check
import { me, request } from "./api.js";
import { Me } from "./ops.js";
import { toast } from "./ui.js";

/** Requests the signed-in member until the server answers. */
export async function recognise() {
  try {
    me.value = (await request(Me, {})).me;
  } catch (error) {
    const { code, message } = /** @type {import("./api.js").Refused} */ (error);
    if (code === "UNAUTHENTICATED" || code === "FORBIDDEN") me.value = null;
    else {
      toast(message, "bad");
      setTimeout(recognise, 3000);
    }
  }
}
