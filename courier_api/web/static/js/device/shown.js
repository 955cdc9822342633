// The quiet line that says which device this is, or what to do when it cannot sign.
import { make } from "../dom.js";
import { lazily } from "../format.js";
import { language, say, saysIt, told } from "../told.js";
import { isAble, read } from "./store.js";

const locale = language === "vi" ? "vi" : "en-GB";
const parts = { timeZone: told.timezone, day: "numeric", month: "numeric", year: "numeric" };
const day = lazily(() => new Intl.DateTimeFormat(locale, parts));
const GRACE_MS = 24 * 3600 * 1000; // the server takes events for another day

export const grouped = (kid) => kid.replace(/(.{4})(?=.)/g, "$1\u00a0");

// Null when this device can sign; else the words that say why it cannot.
export async function whyNot(holder) {
  if (!isAble()) return say("device_unable");
  const record = holder && (await read(holder).catch(() => null));
  if (!record) return say("device_none");
  const fault = record.fault ?? (record.certified + GRACE_MS < Date.now() ? "certificate_expired" : null);
  return fault && faultInWords(fault);
}

export const faultInWords = (fault) => say(saysIt(`fault_${fault}`) ? `fault_${fault}` : "fault_key");

export async function showDevice(element, holder, signInAgain) {
  const fault = await whyNot(holder);
  if (fault) element.replaceChildren(...faulty(fault, signInAgain));
  else element.replaceChildren(sound(await read(holder)));
}

function faulty(fault, signInAgain) {
  const words = make("p", { class: isAble() ? "bad" : "" }, fault);
  if (!isAble()) return [words];
  const button = make("button", { type: "button", class: "plain" }, say("sign_in_again"));
  button.addEventListener("click", signInAgain);
  return [words, button];
}

function sound({ kid, certified }) {
  return make(
    "details",
    {},
    make("summary", {}, say("device_signs", { kid: kid.slice(0, 4) })),
    make("p", {}, say("device_key", { kid: grouped(kid) })),
    make("p", {}, say("device_until", { day: day().format(certified) })),
    make("p", {}, say("device_lost")),
  );
}
