// @ts-check
import { html, useEffect, useState } from "./lib.js";
import { toast } from "./ui.js";

/**
 * A component whose module is loaded when it is shown for the first time.
 * @template {Record<string, any>} M
 * @param {() => Promise<M>} load
 * @param {keyof M & string} name of the component in the module
 */
export function lazy(load, name) {
  /** @type {any} */
  let known = null;
  /** @param {Record<string, any>} props */
  return function Lazy(props) {
    const [View, setView] = useState(() => known);
    useEffect(() => {
      if (known) return;
      load().then(
        (module) => setView(() => (known = module[name])),
        () => toast("A part of this page could not be loaded. Reload the page when AutoLynx can be reached.", "bad"),
      );
    }, []);
    return View && html`<${View} ...${props} />`;
  };
}
