// One case: why we ask, the event as it was signed, and what of it is a commitment only.
import { grouped } from "../device/shown.js";
import { make } from "../dom.js";
import { count } from "../format.js";
import { say } from "../told.js";
import { act, brief, capital, decided, degrees, meant, moment, why, word } from "./says.js";

export function drawCase(one) {
  const heading = make("h1", { tabindex: "-1", class: "smaller" }, act(one));
  const parts = [
    make("a", { href: "#", class: "back" }, say("all_cases")),
    heading,
    make(
      "section",
      { class: "reason", "aria-label": say("why_label") },
      make("h2", {}, say(`kind_${one.kind}`)),
      make("p", {}, why(one)),
      one.decision ? null : make("p", {}, say(`advice_${one.kind}`)),
    ),
    make("section", { "aria-labelledby": "signed-heading" }, ...signed(one)),
  ];
  return { heading, parts };
}

export function drawDecision(one) {
  return make(
    "section",
    { class: "card", "aria-labelledby": "decision-heading" },
    make("h2", { id: "decision-heading" }, `${say("decision")}: ${decided(one)}`),
    make("p", {}, meant(one)),
    make("p", { class: "over" }, `${say("decided_at")} ${moment(one.decided_at)}`),
  );
}

function signed(one) {
  const heading = make("h2", { id: "signed-heading" }, say("signed_heading"));
  const { event } = one;
  const list = make("dl", { class: "signed-facts" }, ...(event ? facts(event) : []), ...ours(one));
  if (!event) return [heading, make("p", {}, say("signed_unreadable")), list];
  return [
    heading,
    list,
    hidden(event),
    make(
      "details",
      { class: "raw" },
      make("summary", {}, say("raw")),
      make("pre", { tabindex: "0", "aria-label": say("raw") }, JSON.stringify(event, null, 2)),
    ),
  ];
}

function facts(event) {
  return [
    row("giver", event.from && party(event.from)),
    row("taker", event.to && party(event.to)),
    row("number", event.no && make("span", { class: "code" }, event.no)),
    row("leg", event.leg ? say("leg_value", { leg: event.leg }) : null),
    row("reason", event.reason && word("reason", event.reason)),
    row("reason", event.why && word("why", event.why)),
    row("called", event.called?.length ? event.called.map(brief).join(", ") : null),
    row("about", event.typ === "courier.remark" ? make("span", { class: "code" }, event.of) : null),
    row("version", event.version ? count(event.version) : null),
    row("amount", event.amount ? say("fee_value", { sum: count(event.amount) }) : null),
    row("clerk", event.by && make("span", { class: "code" }, event.by)),
    row("next", event.next && word("next", event.next)),
    row("fee", event.fee ? say("fee_value", { sum: count(event.fee) }) : null),
    row("identity", event.identity && word("identity", event.identity)),
    row("receiver", event.receiver && word("receiver", event.receiver)),
    row("place", ...place(event.geo)),
    row("signer", say("signer_value", { kid: grouped(event.dev.kid), counter: count(event.dev.ctr) })),
    row("phone_clock", make("time", { datetime: event.t }, moment(event.t))),
  ];
}

function ours({ opened_at: at, note }) {
  return [row("our_clock", make("time", { datetime: at }, moment(at))), row("ev_note", note)];
}

function row(key, ...content) {
  const there = content.filter((part) => part !== null && part !== undefined && part !== "");
  return there.length ? make("div", {}, make("dt", {}, say(key)), make("dd", {}, ...there)) : null;
}

function party({ r: role, id, c }) {
  const name = capital([word("role", role), id].filter(Boolean).join("\u00a0"));
  return c ? make("span", {}, name, make("small", {}, say("citizen_hidden"))) : name;
}

function place(geo) {
  if (!geo) return [];
  const [lat, lon] = [geo.lat / 1e7, geo.lon / 1e7];
  const href = `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=17/${lat}/${lon}`;
  return [
    say("place_value", { lat: degrees.format(lat), lon: degrees.format(lon) }),
    geo.acc === undefined ? null : make("small", {}, say("place_exact", { metres: count(geo.acc) })),
    make("a", { href, target: "_blank", rel: "noopener noreferrer" }, `${say("place_map")} (openstreetmap.org)`),
  ];
}

function hidden(event) {
  const citizen = event.from?.c ?? event.to?.c;
  const committed = { ...(citizen ? { citizen } : {}), ...event.ev };
  if (Object.keys(committed).length === 0) return null;
  return make(
    "div",
    { class: "hidden-things" },
    make("h3", {}, say("hidden_heading")),
    make("p", {}, say("hidden_text")),
    make(
      "ul",
      {},
      ...Object.entries(committed).map(([name, value]) =>
        make("li", {}, `${word("ev", name)} `, make("code", { title: value }, `${value.slice(0, 8)}…`)),
      ),
    ),
  );
}
