// @ts-check
import { createClient } from "graphql-ws";
import { plain } from "./format.js";
import { signal, useEffect, useRef, useState } from "./lib.js";

/** @template D, V @typedef {import("./ops.js").Doc<D, V>} Doc */
/** @typedef {{ code: string, message: string, fields: { path: string[], message: string }[] }} Refusal */

/**
 * Who is signed in: undefined while unknown, null for nobody.
 * @type {import("@preact/signals").Signal<undefined | null | {
 *   email: string,
 *   role: "OPERATOR" | "ADMIN" | "AUDITOR",
 * }>}
 */
export const me = signal(undefined);
/** @type {import("@preact/signals").Signal<"connecting" | "live" | "offline">} */
export const link = signal("connecting");
/** When the connection was lost. @type {import("@preact/signals").Signal<Date | null>} */
export const staleSince = signal(null);
/** Number of connections so far; data read over an earlier one may be outdated. */
export const epoch = signal(0);

export const may = {
  operate: () => me.value?.role === "OPERATOR" || me.value?.role === "ADMIN",
  audit: () => me.value?.role === "AUDITOR" || me.value?.role === "ADMIN",
  admin: () => me.value?.role === "ADMIN",
};

/**
 * What the refusal of a contact file contains besides its message.
 * @typedef {{ columns?: string[], rows?: string[][], sheet?: string, sheets?: string[] }} Details
 */

export class Refused extends Error {
  /** @param {string} code @param {string} message @param {Details} [details] */
  constructor(code, message, details = {}) {
    super(plain(message));
    this.code = code;
    this.details = details;
  }
}

// A request whose response is lost may have been executed.
const UNREACHABLE = "AutoLynx cannot be reached. Before you repeat a change, look whether it was made.";
const TIMED_OUT = "AutoLynx did not answer in time. Before you repeat a change, look whether it was made.";
const SIGNED_OUT = "Your session has ended: sign in again. Nothing was changed.";
/** Longest wait for a response, in milliseconds; the server cancels an operation after ten seconds. */
const ANSWER_TIMEOUT = 20_000;
/** Longest time without progress of an upload, in milliseconds. */
const UPLOAD_TIMEOUT = 60_000;
/** Wait before a failed read is repeated, in milliseconds; it doubles with each failure. */
const [FIRST_RETRY, LONGEST_RETRY] = [2_000, 60_000];
/** Errors after which a read is not repeated; others may end by themselves, for example once the database is back. */
const LASTING = new Set(["UNAUTHENTICATED", "FORBIDDEN"]);
/** Interval of pings; the socket is replaced if a pong takes longer than PONG_TIMEOUT. */
const PING_INTERVAL = 5_000;
const PONG_TIMEOUT = 5_000;

/** @template D, V @param {Doc<D, V>} doc @param {V} variables @returns {Promise<D>} */
export async function request(doc, variables) {
  const answer = await post("/graphql", { documentId: doc.id, variables });
  const body = await answer.json().catch(() => ({ errors: [{ message: `The server answered ${answer.status}.` }] }));
  if (body.errors?.length) throw refusal(body.errors[0]);
  for (const part of Object.values(body.data)) if (part?.__typename === "UserError") explain(part);
  return body.data;
}

/** Replaces the API's words in what a member reads. @param {Refusal} error */
function explain(error) {
  error.message = plain(error.message);
  for (const field of error.fields ?? []) field.message = plain(field.message);
}

/** @param {string} path @param {unknown} body */
export async function post(path, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    return await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Refused("UNREACHABLE", late ? TIMED_OUT : UNREACHABLE);
  }
}

/** @param {{ message: string, extensions?: { code?: string } }} error */
function refusal(error) {
  const code = error.extensions?.code ?? "INTERNAL";
  if (code === "UNAUTHENTICATED") {
    me.value = null;
    return new Refused(code, SIGNED_OUT);
  }
  if (error.message.includes("unknownDocument")) renew();
  return new Refused(code, error.message);
}

/** After an upgrade the server does not know the operations of this page: reload the page, once. */
export function renew() {
  if (sessionStorage.getItem("renewed") === location.href) return;
  sessionStorage.setItem("renewed", location.href);
  location.reload();
}

/** @type {ReturnType<typeof createClient> | null} */
let socket = null;
let wasConnected = false;

/** Opens the only socket of the page unless it is open. */
export function connect() {
  return (socket ??= openSocket());
}

function openSocket() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return createClient({
    url: `${scheme}://${location.host}/graphql`,
    lazy: false,
    keepAlive: PING_INTERVAL,
    connectionAckWaitTimeout: PONG_TIMEOUT,
    retryAttempts: Infinity,
    // Reconnect only after a lost connection: a fault of ours would fail again forever.
    shouldRetry: (event) =>
      me.value !== null && typeof event === "object" && event !== null && ("code" in event || event instanceof Event),
    retryWait: (n) =>
      new Promise((wake) => setTimeout(wake, Math.min(500 * 2 ** n, 8_000) * (0.7 + Math.random() * 0.6))),
    onNonLazyError: () => {},
    on: { connected, closed, ping: awaitPong, pong: gotPong },
  });
}

let pongTimer = 0;

/**
 * Replaces the socket if the server does not answer a ping: an open socket does not prove that it is alive.
 * @param {boolean} received
 */
function awaitPong(received) {
  if (received) return;
  clearTimeout(pongTimer);
  pongTimer = window.setTimeout(() => socket?.terminate(), PONG_TIMEOUT);
}

/** @param {boolean} received */
function gotPong(received) {
  if (received) clearTimeout(pongTimer);
}

function connected() {
  clearTimeout(pongTimer);
  link.value = "live";
  staleSince.value = null;
  if (wasConnected) epoch.value += 1;
  wasConnected = true;
}

/** @param {unknown} event */
function closed(event) {
  clearTimeout(pongTimer);
  if (link.value === "live") staleSince.value = new Date();
  link.value = "offline";
  const code = event instanceof CloseEvent ? event.code : 0;
  if (code === 4403 || code === 4401) signedOut();
}

function signedOut() {
  me.value = null;
  socket?.dispose();
  socket = null;
}

/**
 * `failed` gets the message of an error.
 * @template D, V
 * @param {Doc<D, V>} doc
 * @param {V} variables
 * @param {(data: D) => void} next
 * @param {(message: string) => void} [failed]
 * @returns {() => void}
 */
export function subscribe(doc, variables, next, failed) {
  /** @param {any} error */
  const fail = (error) => (failed ? failed(String(error.message)) : refusal(error));
  const payload = /** @type {any} */ ({ query: "", documentId: doc.id, variables });
  return connect().subscribe(payload, {
    next: (message) => {
      if (message.data) next(/** @type {D} */ (message.data));
      if (message.errors?.[0]) fail(message.errors[0]);
    },
    error: (error) => {
      if (Array.isArray(error) && error[0]) fail(error[0]);
    },
    complete: () => {},
  });
}

/**
 * Reads now, when the variables change, after each reconnection, and again after an error; the old data is shown until
 * then.
 * @template D, V @param {Doc<D, V>} doc @param {V} variables @param {boolean} [wanted]
 */
export function useQuery(doc, variables, wanted = true) {
  const [state, setState] = useState(
    /** @type {{ data: D | null, error: Refused | null, key: string }} */ ({ data: null, error: null, key: "" }),
  );
  const key = JSON.stringify([doc.id, variables]);
  const latest = useRef(0);
  const retry = useRef({ timer: 0, wait: FIRST_RETRY });
  const reload = async () => {
    const mine = ++latest.current;
    clearTimeout(retry.current.timer);
    try {
      const data = await request(doc, variables);
      if (mine !== latest.current) return;
      retry.current.wait = FIRST_RETRY;
      setState({ data, error: null, key });
    } catch (thrown) {
      const error = /** @type {Refused} */ (thrown);
      if (mine !== latest.current) return;
      setState((old) => ({ data: old.data, error, key }));
      if (LASTING.has(error.code)) return;
      retry.current.timer = window.setTimeout(() => again.current(), retry.current.wait);
      retry.current.wait = Math.min(2 * retry.current.wait, LONGEST_RETRY);
    }
  };
  const again = useRef(reload);
  again.current = reload;
  const now = epoch.value;
  useEffect(() => {
    if (wanted) again.current();
    return () => {
      latest.current++;
      clearTimeout(retry.current.timer);
    };
  }, [key, now, wanted]);
  return {
    data: state.data,
    error: state.error,
    loading: wanted && state.key !== key,
    reload: () => again.current(),
    /** @param {(data: D) => D} change */
    change: (change) => setState((old) => (old.data ? { ...old, data: change(old.data) } : old)),
  };
}

/**
 * @template D, V
 * @param {Doc<D, V>} doc
 * @param {V} variables
 * @param {(data: D) => void} next
 * @param {boolean} [wanted]
 */
export function useSubscription(doc, variables, next, wanted = true) {
  const latest = useRef(next);
  latest.current = next;
  useEffect(
    () => (wanted ? subscribe(doc, variables, (data) => latest.current(data)) : undefined),
    [JSON.stringify([doc.id, variables]), wanted],
  );
}

/** Calls `act` at most once per `pause` ms. @param {() => void} act @param {number} pause */
export function useThrottled(act, pause) {
  const latest = useRef(act);
  latest.current = act;
  const state = useRef({ last: 0, timer: 0 });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return () => {
    const { last, timer } = state.current;
    if (timer) return;
    const wait = Math.max(0, last + pause - Date.now());
    state.current.timer = window.setTimeout(() => {
      state.current = { last: Date.now(), timer: 0 };
      latest.current();
    }, wait);
  };
}

/**
 * Uploads a contact file; resolves with the stored upload.
 * @param {File} file
 * @param {import("./kept_files.js").Choices} choices
 * @param {string | null} replaces the id of a stored upload that is not needed any more
 * @param {(share: number) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<import("./contact_file.js").Upload>}
 */
export function upload(file, { region, sheet, roles }, replaces, progress, signal) {
  const query = new URLSearchParams({ filename: file.name });
  if (replaces) query.set("replaces", replaces);
  if (region) query.set("defaultRegion", region);
  if (sheet) query.set("sheet", sheet);
  for (const [column, role] of Object.entries(roles)) query.append("map", `${column}=${role}`);
  return sendFile(`/uploads?${query}`, file, progress, signal);
}

/**
 * Posts a file; resolves with the JSON of the answer 201.
 * @param {string} address
 * @param {File} file
 * @param {(share: number) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export function sendFile(address, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", address);
    sending.setRequestHeader("content-type", "text/csv");
    sending.responseType = "json";
    let timer = window.setTimeout(() => sending.abort(), UPLOAD_TIMEOUT);
    sending.upload.onprogress = (event) => {
      clearTimeout(timer);
      timer = window.setTimeout(() => sending.abort(), UPLOAD_TIMEOUT);
      progress(event.total ? event.loaded / event.total : 0);
    };
    sending.onloadend = () => clearTimeout(timer);
    sending.onabort = () => reject(new Refused("UNREACHABLE", TIMED_OUT));
    sending.onerror = () => reject(new Refused("UNREACHABLE", UNREACHABLE));
    sending.onload = () => {
      if (sending.status === 201) return resolve(sending.response);
      if (sending.status === 401) me.value = null;
      const { code, message, ...details } = sending.response?.error ?? {};
      reject(new Refused(code ?? "INTERNAL", message ?? `The server answered ${sending.status}.`, details));
    };
    signal.addEventListener("abort", () => sending.abort());
    sending.send(file);
  });
}
