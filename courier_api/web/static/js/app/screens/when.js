// Times as the courier reads them.
import { lazily, time } from "../../format.js";
import { language, told } from "../../told.js";

const day = lazily(
  () =>
    new Intl.DateTimeFormat(language === "vi" ? "vi" : "en-GB", {
      timeZone: told.timezone,
      day: "numeric",
      month: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hour12: false,
    }),
);

const whole = lazily(
  () =>
    new Intl.DateTimeFormat(language === "vi" ? "vi" : "en-GB", {
      timeZone: told.timezone,
      dateStyle: "short",
      timeStyle: "short",
      hour12: false,
    }),
);

export const clock = (iso) => time(iso);
export const dayAndTime = (iso) => day().format(new Date(iso));
export const dateAndTime = (iso) => whole().format(new Date(iso));

const date = lazily(
  () =>
    new Intl.DateTimeFormat("en-CA", {
      timeZone: told.timezone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    }),
);
const hour = lazily(
  () => new Intl.DateTimeFormat("en-GB", { timeZone: told.timezone, hour: "2-digit", hour12: false }),
);
const weekday = lazily(
  () =>
    new Intl.DateTimeFormat(language === "vi" ? "vi" : "en-GB", {
      timeZone: "UTC",
      weekday: "long",
      day: "numeric",
      month: "numeric",
    }),
);
const DAY_MS = 24 * 3600 * 1000;
const AHEAD = 3; // days
const NOON = 11;

export const isToday = (iso, now) => date().format(new Date(iso)) === date().format(now);

export const dayInWords = (day_) => weekday().format(new Date(`${day_}T00:00Z`));

// The half-days to which a visit can be put off: {value: "2026-12-01.morning", day, half}, the nearest first.
export function halfDays(now) {
  const all = Array.from({ length: AHEAD }, (_, n) => date().format(now + n * DAY_MS)).flatMap((day_) =>
    ["morning", "afternoon"].map((half) => ({ value: `${day_}.${half}`, day: day_, half })),
  );
  const before = Number(hour().format(now)) < NOON ? 1 : 2; // this half-day, and what is over of today
  return all.slice(before);
}
