// Draws what was found: the verdict, what the receipt says, and each thing that was checked.
import { find, make, show } from "../dom.js";
import { language, say, told } from "../told.js";
import { LOOKS } from "./verdict.js";

const SVG = "http://www.w3.org/2000/svg";
const LEDGER_LOOKS = { recorded: "good", differs: "bad", unproven: "bad" };
const locale = language === "vi" ? "vi" : "en-GB";
const times = (tongue, parts) => new Intl.DateTimeFormat(tongue, { timeZone: told.timezone, ...parts });
const month = language === "vi" ? "numeric" : "long";
const day = times(locale, { weekday: "long", day: "numeric", month, year: "numeric" });
const clock = times("en-GB", { hour: "2-digit", minute: "2-digit" });
const date = times("en-GB", { day: "2-digit", month: "2-digit", year: "numeric" });
const degrees = new Intl.NumberFormat(locale, { minimumFractionDigits: 5, maximumFractionDigits: 5 });
const whole = new Intl.NumberFormat(locale);

const moment = (ms) => `${clock.format(ms)}, ${day.format(ms)}`;
const brief = (ms) => `${clock.format(ms)} ${date.format(ms)}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const party = ({ role, code }) => [say(`role_${role}`), code].filter(Boolean).join("\u00a0");

export function showVerdict(name) {
  const box = find("#verdict");
  box.dataset.look = LOOKS[name];
  box.dataset.verdict = name;
  find("#verdict-icon").replaceChildren(icon(LOOKS[name]));
  find("#verdict-words").textContent = say(`verdict_${name}`);
  find("#verdict-text").textContent = say(`verdict_${name}_text`);
  show(find(".lead"), false); // the verdict stands as high as it can
  show(find("#result"), true);
  show(find("#tools-heading"), true);
  announce(`${say(`verdict_${name}`)}. ${say(`verdict_${name}_text`)}`);
}

// A receipt with what holds of it; the ledger's word may follow later.
export function showReceipt({ says, vouched }, holds, ledger) {
  const believed = holds.certificate && holds.device;
  find("#facts-heading").textContent = say(believed ? "facts" : "facts_doubted");
  find("#sentence").textContent = sentence(says, vouched);
  find("#facts").replaceChildren(...facts(says, vouched));
  find("#checks").replaceChildren(...checks(vouched, holds), ledgerRow(ledger));
  show(find("#details"), true);
}

export function hideResult() {
  show(find("#result"), false);
  show(find("#details"), false);
}

export function announce(text) {
  find("#news").textContent = text;
}

function sentence(says, vouched) {
  const signer = party({ role: vouched.role, code: vouched.holder });
  return capital(say(`kind_${says.kind}`, { giver: party(says.giver), taker: party(says.taker), signer }));
}

function facts(says, vouched) {
  const rows = [];
  const add = (key, ...content) => rows.push(make("div", {}, make("dt", {}, say(key)), make("dd", {}, ...content)));
  if (says.giver.role !== "none") add("giver", capital(party(says.giver)));
  if (says.taker.role !== "none") add("taker", capital(party(says.taker)));
  add("when", make("time", { datetime: new Date(says.time).toISOString() }, moment(says.time)));
  add("where", ...place(says.place));
  if (says.number) add("number", make("span", { class: "code" }, says.number));
  add("signer", capital(party({ role: vouched.role, code: vouched.holder })));
  return rows;
}

function place(point) {
  if (!point) return [say("nowhere")];
  const { lat, lon } = point;
  const text = say("coordinates", { lat: degrees.format(lat), lon: degrees.format(lon) });
  const href = `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=17/${lat}/${lon}`;
  const attributes = { class: "map-link", href, target: "_blank", rel: "noopener noreferrer" };
  return [text, make("a", attributes, `${say("map")} (openstreetmap.org)`)];
}

function checks(vouched, holds) {
  const row = (key) => check(holds[key] ? "good" : "bad", say(`check_${key}_${holds[key] ? "ok" : "bad"}`));
  const rows = [row("certificate"), row("device")];
  if (!holds.signer) rows.push(row("signer"));
  if (holds.certificate) {
    const values = { from: brief(vouched.from), until: brief(vouched.until) };
    rows.push(check(holds.time ? "good" : "doubt", say(holds.time ? "check_time_ok" : "check_time_bad", values)));
  }
  return rows;
}

function ledgerRow({ state, index, time }) {
  const values = { index: whole.format(Number(index) + 1), at: time ? moment(time) : "" };
  return check(LEDGER_LOOKS[state] ?? "wait", say(`ledger_${state}`, values));
}

function check(look, text) {
  const spoken = make("span", { class: "unseen" }, `${say(`look_${look}`)}: `);
  return make("li", { "data-look": look }, icon(look), make("span", {}, spoken, text));
}

function icon(look) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${look}`);
  drawing.append(use);
  return drawing;
}
