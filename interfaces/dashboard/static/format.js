// @ts-check
import { ENDED_REASONS } from "./provider.js";

const whole = new Intl.NumberFormat(undefined);
const dollars = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD" });
const cents = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", maximumFractionDigits: 4 });
const moment = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  timeZone: "UTC",
});
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const STEPS = /** @type {const} */ ([
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Infinity],
]);

/** @param {number} n */
export const count = (n) => whole.format(n);
/**
 * A number with its noun: "1 contact", "2,500 contacts". `several` is needed where an s does not make the plural.
 * @param {number} n @param {string} one @param {string} [several]
 */
export const counted = (n, one, several = `${one}s`) => `${count(n)} ${n === 1 ? one : several}`;
/** @param {string | null | undefined} amount */
export const money = (amount) => (amount == null ? "–" : dollars.format(Number(amount)));
/** @param {string | null | undefined} amount */
export const price = (amount) => (amount == null ? "–" : cents.format(Number(amount)));
/** A number with its extension. @param {{ phone: string, extension: string | null }} contact */
export const dialled = ({ phone, extension }) => (extension ? `${phone} ext. ${extension}` : phone);
/** @param {string} at */
export const absolute = (at) => moment.format(new Date(at));
/** @param {string | number | Date} at */
export const timeOfDay = (at) => hour.format(new Date(at));
/** @param {string | number | Date} at */
export const dayAndTime = (at) => day.format(new Date(at));
/** @param {string | number | Date} at */
export const weekday = (at) => dayName.format(new Date(at));
/** The time in an IANA time zone, with its city. @param {string} zone @param {number} now */
export function timeIn(zone, now) {
  const city = (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
  try {
    const format = { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone: zone };
    return `${new Intl.DateTimeFormat(undefined, /** @type {any} */ (format)).format(now)} in ${city}`;
  } catch {
    return city; // This browser does not know the zone.
  }
}

/** A calendar date, such as 2026-11-20. @param {string} date */
export const calendarDate = (date) => calendar.format(new Date(date));

/** @param {string} at @param {number} now */
export function ago(at, now) {
  let value = (Date.parse(at) - now) / 1000;
  if (Math.abs(value) < 3) return "just now";
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return relative.format(Math.round(value), unit);
    value /= size;
  }
  return absolute(at);
}

/** Minutes and seconds, or hours. @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor((s % 3600) / 60), s % 60].map((n) => String(n).padStart(2, "0"));
  return s >= 3600 ? `${Math.floor(s / 3600)}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

const regions = new Intl.DisplayNames(undefined, { type: "region", fallback: "code" });
/** The region of a code, such as US; 001 are numbers of no country. @param {string} code */
export const regionName = (code) => (code === "001" ? "International" : (regions.of(code) ?? code));

/** @param {number} part @param {number} all */
export const share = (part, all) => (all ? `${Math.round((100 * part) / all)} %` : "0 %");

/** Readable words for IN_PROGRESS, spend-alert or camelCase. @param {string} code */
export function words(code) {
  if (code === "TIMEOUT") return "Timed out"; // As in the counters.
  const spaced = code
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_.-]+/g, " ")
    .trim()
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/**
 * A message without words of the API: names of fields and codes are spelled out, null is "empty".
 * Addresses and names of environment variables stay as they are.
 * @param {string} message
 */
export const plain = (message) =>
  message
    .replace(/\[Errno -?\d+\] ?/g, "")
    .replace(/^The operation takes more than (\d+) s: request less\.$/, "The server needed more than $1 s. Try again.")
    .replace(/(?<![\w/@.:-])null(?![\w/@-])/g, "empty")
    .replace(/(?<![\w/@.:-])(?:[a-z]+(?:[A-Z][a-z0-9]*)+|(?!AUTOLYNX_)[A-Z]+(?:_[A-Z]+)+)(?![\w/@-])/g, (code) =>
      words(code).toLowerCase(),
    );

/** The provider's ended reason as text. @param {string | null | undefined} reason */
export function endedReason(reason) {
  if (!reason) return "";
  return ENDED_REASONS[reason] ?? words(reason.replace(/^.*\.error-/, "Error: "));
}

/** Row numbers as text, shortened. @param {number[]} rows */
export function rowList(rows) {
  const shown = rows
    .slice(0, 12)
    .map((row) => whole.format(row))
    .join(", ");
  return rows.length > 12 ? `${shown} and ${whole.format(rows.length - 12)} more` : shown;
}
