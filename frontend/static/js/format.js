/** Says times, days, names and lists in the page's language. */

import { language, t } from "./strings.js";

const DAY_MS = 86_400_000;

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * @param {Date} date
 * @param {Date} now
 */
function daysAgo(date, now) {
  return Math.round((midnight(now) - midnight(date)) / DAY_MS);
}

/** @param {string} at RFC 3339 */
export function clock(at) {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/**
 * @param {string} at RFC 3339
 * @param {Date} [now]
 */
export function day(at, now = new Date()) {
  const date = new Date(at);
  const ago = daysAgo(date, now);
  if (ago === 0) return t("day.today");
  if (ago === 1) return t("day.yesterday");
  return new Intl.DateTimeFormat(locale(), {
    weekday: ago < 7 && ago > 0 ? "long" : undefined,
    day: "numeric",
    month: "long",
    year: date.getFullYear() === now.getFullYear() ? undefined : "numeric",
  }).format(date);
}

/** @param {string} at RFC 3339 */
export function date(at) {
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric" }).format(new Date(at));
}

/** @param {string} at RFC 3339 */
export const dateAndTime = (at) => `${date(at)}, ${clock(at)}`;

/** @param {number} n */
export const number = (n) => new Intl.NumberFormat(locale()).format(n);

/**
 * Says when something last happened in a room.
 *
 * @param {string} at RFC 3339
 * @param {Date} [now]
 */
export function lastActive(at, now = new Date()) {
  const date = new Date(at);
  const minutes = Math.floor((now.getTime() - date.getTime()) / 60_000);
  if (minutes < 1) return t("active.moment");
  if (minutes < 60) return t("active.minutes", { n: minutes });
  const ago = daysAgo(date, now);
  if (ago === 0) return t("active.hours", { n: Math.floor(minutes / 60) });
  if (ago === 1) return t("active.yesterday");
  const shown = new Intl.DateTimeFormat(locale(), {
    day: "numeric",
    month: "long",
    year: date.getFullYear() === now.getFullYear() ? undefined : "numeric",
  }).format(date);
  return t("active.on", { date: shown });
}

/**
 * Says a moment that is not far: a time today, a day of this week, or a date.
 *
 * @param {string} at RFC 3339
 * @param {Date} [now]
 */
export function moment(at, now = new Date()) {
  const date = new Date(at);
  const ahead = -daysAgo(date, now);
  if (ahead === 0) return clock(at);
  const near = ahead > 0 && ahead < 7;
  return new Intl.DateTimeFormat(locale(), {
    weekday: near ? "short" : undefined,
    day: near ? undefined : "numeric",
    month: near ? undefined : "long",
    year: near || date.getFullYear() === now.getFullYear() ? undefined : "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(date);
}

/**
 * Says a place in a row: `2nd`.
 *
 * @param {number} n
 */
export function ordinal(n) {
  if (language() === "ru") return `${n}-й`;
  /** @type {Partial<Record<Intl.LDMLPluralRule, string>>} */
  const endings = { one: "st", two: "nd", few: "rd" };
  const ending = endings[new Intl.PluralRules("en", { type: "ordinal" }).select(n)];
  return `${n}${ending ?? "th"}`;
}

/** @param {string[]} names */
export function list(names) {
  return new Intl.ListFormat(locale(), { style: "long", type: "conjunction" }).format(names);
}

/**
 * Takes the first letters of the first and the last word.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = words[0] ?? "?";
  const last = words.length > 1 ? (words[words.length - 1] ?? "") : "";
  return (firstLetter(first) + firstLetter(last)).toLocaleUpperCase(locale());
}

/** @param {string} word */
export function firstLetter(word) {
  const segments = new Intl.Segmenter(locale(), { granularity: "grapheme" }).segment(word);
  return [...segments][0]?.segment ?? "";
}

/** @param {number} count */
export function capped(count) {
  return count > 99 ? "99+" : String(count);
}

/** British order and 24 hours for English: `23 November`, `10:05`. */
function locale() {
  return language() === "ru" ? "ru-RU" : "en-GB";
}
