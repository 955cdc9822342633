// Times of the province, kilometres, and text compared without accents.
import { language, told } from "./told.js";

// Made when it is first wanted: on a cheap phone each of the browser's formats takes many milliseconds to make.
export function lazily(make) {
  let made = null;
  return () => (made ??= make());
}

const clock = lazily(
  () => new Intl.DateTimeFormat("en-GB", { timeZone: told.timezone, hour: "2-digit", minute: "2-digit" }),
);
const number = lazily(() => new Intl.NumberFormat(language));

const fullDay = lazily(
  () =>
    new Intl.DateTimeFormat(language === "vi" ? "vi" : "en-GB", {
      timeZone: "UTC",
      weekday: "long",
      day: "numeric",
      month: language === "vi" ? "numeric" : "long",
      year: "numeric",
    }),
);

// Where the clock is never changed it is reckoned without a format.
export const time = (iso) =>
  Number.isInteger(told.utc_offset)
    ? new Date(new Date(iso).getTime() + told.utc_offset * 60_000).toISOString().slice(11, 16)
    : clock().format(new Date(iso));
export const inWords = (day) => fullDay().format(new Date(`${day}T00:00Z`));
export const fromTo = (from, to) => `${time(from)}\u2060–\u2060${time(to)}`; // never parted at the end of a line
export const count = (value) => number().format(value);
export const kilometres = (metres) =>
  number().format(Math.round(metres / (metres < 99_500 ? 100 : 1000)) / (metres < 99_500 ? 10 : 1));

export function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}
