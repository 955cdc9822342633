// The lists: what waits, oldest first, and what was decided lately.
import { make } from "../dom.js";
import { say } from "../told.js";
import { act, brief, decided, why } from "./says.js";

export function openEntry(one) {
  const { event } = one;
  return entry(
    one,
    make("span", { class: "what" }, act(one)),
    make("span", { class: "why" }, why(one)),
    line([
      ["number", event?.no && make("span", { class: "code" }, event.no)],
      ["phone_short", event && brief(event.t)],
      ["our_short", brief(one.opened_at)],
    ]),
  );
}

export function decidedEntry(one) {
  return entry(
    one,
    make("span", { class: "what" }, act(one)),
    line([
      ["decision", make("span", { class: "chosen" }, decided(one))],
      ["decided_at", brief(one.decided_at)],
      ["number", one.event?.no && make("span", { class: "code" }, one.event.no)],
    ]),
  );
}

function entry({ id }, ...parts) {
  return make("li", {}, make("a", { href: `#${id}`, "data-case": id }, ...parts));
}

// Inside a link only phrases may stand, so no list of terms.
function line(facts) {
  const shown = facts.filter(([, value]) => value);
  return make(
    "span",
    { class: "facts-line" },
    ...shown.map(([key, value]) => make("span", {}, `${say(key)}: `, value)),
  );
}
