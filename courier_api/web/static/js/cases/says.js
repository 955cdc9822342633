// A case and its event in plain words.
import { language, say, saysIt, told } from "../told.js";

const locale = language === "vi" ? "vi" : "en-GB";
const times = (tongue, parts) => new Intl.DateTimeFormat(tongue, { timeZone: told.timezone, ...parts });
const clock = times("en-GB", { hour: "2-digit", minute: "2-digit" });
const date = times("en-GB", { day: "2-digit", month: "2-digit", year: "numeric" });
const month = language === "vi" ? "numeric" : "long";
const day = times(locale, { weekday: "long", day: "numeric", month, year: "numeric" });

export const degrees = new Intl.NumberFormat(locale, { minimumFractionDigits: 5, maximumFractionDigits: 5 });
export const capital = (text) => text[0].toUpperCase() + text.slice(1);
export const brief = (iso) => `${clock.format(new Date(iso))}\u00a0${date.format(new Date(iso))}`;
export const moment = (iso) => `${clock.format(new Date(iso))}, ${day.format(new Date(iso))}`;

// Who did what: the line by which a case is known.
export function act({ event, person }) {
  return say(actKey(event), { name: person.full_name });
}

function actKey(event) {
  if (!event) return "act_unreadable";
  if (event.from?.r === "citizen") return "act_take";
  if (event.to?.r === "citizen") return "act_give";
  const key = `act_${event.typ.replace(".", "_")}`;
  return saysIt(key) ? key : "act_hand";
}

// The API calls a state by its code; here it stands in words.
export function inWords(text) {
  return text.replace(/“(\w+)”/g, (whole, code) => (told.states[code] ? `“${told.states[code]}”` : whole));
}

export const why = ({ text }) => inWords(text);

// A decision's words: of a correction that a courier asks for, a dispatcher can only take note; cash changes no hands.
function keyOf({ kind, event }, decision) {
  if (decision === "record" && event?.typ === "courier.settlement") return "do_record_cash";
  return kind === "remark" && decision === "dismiss" ? "do_note" : `do_${decision}`;
}

export function decided(one, decision = one.decision) {
  const key = keyOf(one, decision);
  return saysIt(key) ? say(key) : decision;
}

export function meant(one, decision = one.decision) {
  const key = `${keyOf(one, decision)}_text`;
  return saysIt(key) ? say(key) : null;
}

export function word(prefix, code) {
  return saysIt(`${prefix}_${code}`) ? say(`${prefix}_${code}`) : code;
}
