// One stop: who, where, what to take along and to mind; calling, riding there, and being there.
import { make } from "../../dom.js";
import { fromTo, time } from "../../format.js";
import { say } from "../../told.js";
import { outOfOrder } from "../map/along.js";
import * as operations from "../operations.js";
import { ask, choices, facts, icon, link, markWrong, metres, money, notice, tell } from "../parts.js";
import { isOpen } from "../phone.js";
import { here, metresFrom } from "../place.js";
import { go, next, refresh } from "../router.js";
import { inTime } from "../shift/fold.js";
import { cautionTags, kindTag, tag } from "./round.js";
import { undoOrReport } from "./taking-back.js";
import { dayAndTime } from "./when.js";

const NEAR_M = 150; // what a cheap phone is off between houses
const FAR_M = 500; // further off than a phone alone explains

let finding = null; // {stop, button} while its position is asked for: the button that says so, should the screen be made anew

export const stopScreen = (phone) => async (id) => {
  const found = phone.stop(id);
  if (!found) return gone();
  const { state: riding, stops, one } = found;
  const { stop, door, state } = one;
  const open = isOpen(state) && riding !== "withdrawn";
  const off = state === "cancelled" && !one.trouble; // nothing is to be done, or was
  return {
    title: say("stop_title", { n: stop.position }),
    back: "#/",
    live: true,
    body: [
      troubleOf(one, phone),
      open && riding === "started" ? skipped(stops, one, phone) : null,
      who(stop, door, state),
      open ? calls(phone, stop) : null,
      open ? tried(door) : null,
      off ? null : money_(door),
      off ? null : papers(stop, door),
      open ? null : ended(one, phone),
    ],
    action: open ? actions(phone, found) : onward(stops),
  };
};

// From a stop that is over to the one that is next.
export function onward(stops) {
  const ahead = stops.find(({ state }) => isOpen(state))?.stop;
  return ahead
    ? next(say("next_of", { n: ahead.position, name: ahead.job.contact_name }), () => go(`#/stop/${ahead.id}`))
    : next(say("to_round"), () => go("#/"));
}

function gone() {
  return {
    title: say("stop_gone"),
    back: "#/",
    body: [notice("warn", say("stop_gone"), say("stop_gone_text"))],
    action: next(say("to_round"), () => go("#/")),
  };
}

function who({ id, job, service_start: at }, door, state) {
  return make(
    "section",
    { class: `card door ${job.kind}` },
    make(
      "p",
      { class: "tags" },
      kindTag(job.kind),
      ...cautionTags(job),
      state === "arrived" ? tag(say("you_are_here"), "here") : null,
    ),
    make("p", { class: "who" }, job.contact_name),
    make("p", { class: "where" }, job.address),
    job.note ? make("p", { class: "note" }, icon("warn"), make("span", {}, job.note)) : null,
    facts([
      [say("planned"), time(at)],
      [say("promised"), job.window_start ? fromTo(job.window_start, job.window_end) : null],
      [say("procedure"), door.procedure],
      [say("phone_short"), local(job.contact_phone)],
      [say("number"), job.tracking_number],
    ]),
    link(say("on_map"), `#/map/${id}`, { kind: "text-link", symbol: "map" }),
  );
}

// A number as it is dialled here.
const local = (phone) => phone.replace(/^\+84/, "0").replace(/(\d{4})(\d{3})(\d{3})$/, "$1 $2 $3");

// Calling and riding there lie beneath the thumb, with the way out.
function reach(phone, { id, job }) {
  const call = make(
    "a",
    { class: "reach", href: `tel:${job.contact_phone}` },
    icon("phone"),
    make("span", {}, say("call")),
  );
  call.addEventListener("click", () => phone.called(id).then(refresh));
  const { lat, lon } = job.point;
  const ride = make(
    "a",
    { class: "reach", href: navigation(lat, lon, job.contact_name), target: "_blank", rel: "noopener" },
    icon("ride"),
    make("span", {}, say("navigate")),
  );
  return make(
    "div",
    { class: "foot-row" },
    call,
    ride,
    link(say("cannot"), `#/stop/${id}/failure`, { kind: "second-action", symbol: "cross" }),
  );
}

function calls(phone, { id }) {
  const made = phone.calls(id);
  return made.length
    ? make("p", { class: "soft called" }, say("called", { n: made.length, time: time(made.at(-1)) }))
    : null;
}

// Android's own choice of map apps; iPhones know only their own.
function navigation(lat, lon, label) {
  if (/iPhone|iPad/.test(navigator.userAgent)) return `https://maps.apple.com/?daddr=${lat},${lon}`;
  return `geo:${lat},${lon}?q=${lat},${lon}(${encodeURIComponent(label)})`;
}

function money_({ requirements: { fee }, amounts }) {
  if (!fee) return null;
  const parts = ["state_fee", "postage", "fee_transfer"]
    .filter((key) => amounts?.[key] > 0)
    .map((key) => [say(key), money(amounts[key])]);
  return make(
    "section",
    { class: "card" },
    make("h2", {}, say("to_collect")),
    make("p", { class: "sum" }, money(fee)),
    facts(parts),
  );
}

// What earlier visits met with, so that the third is not made for the reason of the first.
function tried({ attempts = [] }) {
  if (!attempts.length) return null;
  return make(
    "section",
    { class: "card" },
    make("h2", {}, say("tried_before")),
    make(
      "ul",
      { class: "papers" },
      ...attempts.map(({ reason, device_at: at }) =>
        make("li", {}, make("span", {}, say(`reason_${reason}`)), make("small", {}, dayAndTime(at))),
      ),
    ),
  );
}

export const counts = ({ originals, copies }) =>
  [originals ? say("n_originals", { n: originals }) : null, copies ? say("n_copies", { n: copies }) : null]
    .filter(Boolean)
    .join(", ") || say("none");

function papers({ job }, door) {
  const lines = job.kind === "pickup" ? door.documents : door.lines;
  const list = make(
    "ul",
    { class: "papers" },
    ...lines.map((line) => make("li", {}, make("span", {}, line.name), make("small", {}, counts(line)))),
  );
  const recalled = door.requirements.recalled ?? [];
  return make(
    "section",
    { class: "card" },
    make("h2", {}, say(job.kind === "pickup" ? "papers_to_take" : "papers_to_give")),
    list,
    recalled.length ? make("h3", {}, say("recalled_heading")) : null,
    recalled.length
      ? make(
          "ul",
          { class: "papers" },
          ...recalled.map((line) =>
            make("li", {}, make("span", {}, line.name), make("small", {}, say("n_originals", { n: line.originals }))),
          ),
        )
      : null,
  );
}

function troubleOf({ trouble, state }, phone) {
  if (!trouble) return state === "cancelled" ? notice("bad", say("cancelled"), say("cancelled_text")) : null;
  return notice(
    "bad",
    say("trouble_heading"),
    troubleText(trouble),
    link(say("see_troubles"), "#/queue"),
    callOffice(phone),
  );
}

const TROUBLES = {
  wrong_state: "trouble_done_elsewhere",
  not_the_holder: "trouble_done_elsewhere",
  leg_differs: "trouble_done_elsewhere",
  job_closed: "trouble_done_elsewhere",
  not_found: "trouble_not_yours",
  stop_cancelled: "trouble_cancelled",
  requirements_missing: "trouble_missing",
  documents_do_not_match: "trouble_missing",
};

// What the server could not do, in words that say what to do.
export const troubleText = (code) => say(TROUBLES[code] ?? "trouble_other");
export const hasWords = (code) => code in TROUBLES;

export function callOffice(phone) {
  const [first] = phone.office?.phones ?? [];
  return first
    ? make(
        "a",
        { class: "main-action as-button", href: `tel:${first.phone}` },
        say("call_office", { name: first.name }),
      )
    : null;
}

function skipped(stops, one, phone) {
  const before = outOfOrder(
    stops.map(({ stop, state }) => ({ ...stop, state })),
    one.stop,
    { from: phone.place, now: Date.now() + phone.skew },
  );
  if (!before.length) return null;
  const tight = before.filter(({ at_risk: atRisk }) => atRisk);
  return notice(
    "warn",
    say("out_of_order", { n: before.length }),
    tight.length
      ? say("out_of_order_at", {
          names: tight
            .slice(0, 3)
            .map(({ position: n, job }) =>
              say("stop_and_window", { n, window: fromTo(job.window_start, job.window_end) }),
            )
            .join(", "),
        })
      : say("out_of_order_text"),
  );
}

const ENDS = ["custody.handover", "courier.failure"];

// What can still be done about a stop that is over: by what ended it, whatever was said of it since.
function ended(one, phone) {
  const mine = inTime([...phone.queue, ...phone.done]).findLast(
    ({ typ, subject }) => subject?.stop === one.stop.id && ENDS.includes(typ),
  );
  if (!mine) return null;
  return make(
    "p",
    { class: "links" },
    mine.typ === "custody.handover" ? link(say("show_receipt"), `#/receipt/${mine.id}`, { kind: "text-link" }) : null,
    slipLink(mine, phone),
    undoOrReport(phone, mine),
  );
}

// Of a visit that failed for missing papers: what the citizen was told to have ready.
export function slipLink({ id, typ, fields, subject }, phone) {
  const left = typ === "courier.failure" && fields.missing?.length && phone.stop(subject.stop);
  return left ? link(say("show_slip"), `#/slip/${id}`, { kind: "text-link" }) : null;
}

function actions(phone, { round, state: riding, one: { stop, door, state } }) {
  if (riding !== "started") return next(say("prepare"), () => go("#/ready"));
  const others = reach(phone, stop);
  const onward = `#/stop/${stop.id}/${stop.job.kind}`;
  if (state === "arrived") return [next(say("continue"), () => go(onward)), others];
  const there = next(
    say("arrived"),
    async () => {
      if (finding?.stop === stop.id) return;
      const mine = (finding = { stop: stop.id, button: there });
      word(there, "finding_place");
      try {
        await arrive(phone, { ...door, round: round.id }, onward);
      } finally {
        word(mine.button, "arrived");
        if (finding === mine) finding = null;
      }
    },
    { symbol: "here" },
  );
  if (finding?.stop === stop.id) {
    finding.button = there;
    word(there, "finding_place");
  }
  return [there, others];
}

const word = (element, key) => {
  element.querySelector("span").textContent = say(key);
};

// Who has gone elsewhere while the position was looked for has not said that he is here.
async function arrive(phone, door, onward) {
  const from = location.hash;
  const place = await here(phone);
  if (location.hash !== from) return;
  const why = await explained(place, door);
  if (why === undefined) return;
  const operation = await phone.enqueue(operations.arrival(door, { place, why }));
  go(onward);
  tell(say("arrival_noted"), {
    action: say("undo"),
    act: async () => {
      if (await phone.undo(operation.id)) go(`#/stop/${door.id}`);
    },
  });
}

// Null when the courier is where the door is; a reason when not; undefined when he thought better of it.
async function explained(place, { job: { point } }) {
  const far = place && metresFrom(place, point);
  if (place && far <= Math.max(NEAR_M, place.accuracy ?? 0)) return null;
  if (!place)
    return (
      (await ask(say("no_place"), say("no_place_text"), [
        ["no_signal", say("no_signal")],
        [undefined, say("go_back"), "plain"],
      ])) ?? undefined
    );
  let why = far > FAR_M ? null : "gps_wrong";
  const reasons = choices(
    say("why_far"),
    "why",
    ["gps_wrong", "met_elsewhere", "address_wrong"].map((code) => [code, say(`why_${code}`)]),
    why,
    (value) => {
      why = value;
    },
  );
  const given = () => {
    markWrong(reasons, why ? null : say("why_missing"));
    return why ?? false;
  };
  return (
    (await ask(say("far_away", { far: metres(far) }), reasons, [
      [given, say("arrived_anyway")],
      [undefined, say("go_back"), "plain"],
    ])) ?? undefined
  );
}
