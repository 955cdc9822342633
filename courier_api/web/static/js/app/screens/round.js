// The round: the stops in order, the next one large, and what stands in the way.
import { make } from "../../dom.js";
import { fromTo, time } from "../../format.js";
import { say } from "../../told.js";
import * as operations from "../operations.js";
import { ask, facts, icon, link, metres, money, notice } from "../parts.js";
import { isOpen } from "../phone.js";
import { go, next } from "../router.js";
import { halfNotice } from "../shell.js";

export const roundScreen = (phone) => async () => {
  const day = phone.current;
  if (!day)
    return {
      title: say("tab_round"),
      tabs: true,
      live: true,
      body: [...warnings(phone), nothing()],
      action: next(say("look_again"), () => go("#/ready")),
    };
  const open = day.stops.filter(({ state }) => isOpen(state));
  const [first] = open;
  return {
    title: say(`half_${day.round.half}`),
    tabs: true,
    live: true,
    body: [
      ...warnings(phone),
      phone.onDuty && ["denied", "unavailable"].includes(phone.duty)
        ? notice("warn", say("no_position"), say(`duty_${phone.duty}`))
        : null,
      progress(day, open, phone),
      day.state === "withdrawn" ? null : first && nextCard(first, day.ways[first.stop.id]),
      list(day, day.state === "withdrawn" ? null : first, phone),
      make(
        "p",
        { class: "links" },
        link(say("ready_again"), "#/ready", { kind: "text-link" }),
        day.state === "started" && open.length ? link(say("end_early"), "#/early", { kind: "text-link" }) : null,
      ),
    ],
    action: action(phone, day, open),
  };
};

function nothing() {
  return make("div", { class: "card empty" }, make("h2", {}, say("no_round")), make("p", {}, say("no_round_text")));
}

// What the courier must know before anything else, the gravest first.
export function warnings(phone) {
  const found = phone.half ? [halfNotice()] : [];
  const fault = phone.problems.find(({ kind }) => kind === "key");
  if (fault)
    found.push(notice("bad", say("key_heading"), say(`key_${fault.code}`), link(say("what_to_do"), "#/trouble/key")));
  if (phone.outbox.state() === "signed_out")
    found.push(notice("bad", say("signed_out"), say("signed_out_text"), link(say("sign_in"), "#/sign-in")));
  for (const { round, state } of phone.rounds) {
    if (state === "withdrawn" && phone.acknowledged(round.id) < round.version) {
      found.push(
        notice(
          "bad",
          say("withdrawn"),
          say("withdrawn_text"),
          link(say("what_to_do"), `#/trouble/withdrawn/${round.id}`),
        ),
      );
    }
  }
  for (const { round } of phone.incoming) {
    found.push(
      notice("warn", say("plan_changed"), say("plan_changed_text"), link(say("see_changes"), `#/plan/${round.id}`)),
    );
  }
  if (Math.abs(phone.skew) > 120_000) {
    found.push(notice("warn", say("clock_wrong", { much: duration(Math.abs(phone.skew)) }), say("clock_wrong_text")));
  }
  const troubles = phone.problems.filter(({ kind }) => kind !== "key").length;
  if (troubles > 0)
    found.push(notice("warn", say("troubles", { count: troubles }), null, link(say("see_troubles"), "#/queue")));
  return found;
}

export function duration(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return say("minutes", { n: minutes });
  return minutes < 48 * 60
    ? say("hours", { n: Math.round(minutes / 60) })
    : say("days", { n: Math.round(minutes / 1440) });
}

// How late the courier is, in milliseconds: by the next stop's planned time, as far as it is over.
function lateness(day, open, phone) {
  if (day.state !== "started" || !open.length) return 0;
  return Math.max(0, Date.now() + phone.skew - Date.parse(open[0].stop.service_start));
}

const LATE_MS = 10 * 60_000; // less is no news

function progress(day, open, phone) {
  const done = day.stops.length - open.length;
  const late = lateness(day, open, phone);
  const bar = make("progress", { max: day.stops.length || 1, value: done, "aria-label": say("progress") });
  return make(
    "div",
    { class: "progress-line" },
    bar,
    make("span", {}, say("done_of", { done, all: day.stops.length })),
    late > LATE_MS ? tag(say("late_by", { much: duration(late) }), "bad") : null,
    day.state === "withdrawn"
      ? null
      : make(
          "span",
          { class: "soft" },
          say("back_at", { time: time(new Date(Date.parse(day.round.returns_at) + late)) }),
        ),
  );
}

function nextCard({ stop, door, state }, far) {
  const { job } = stop;
  return make(
    "a",
    { href: `#/stop/${stop.id}`, class: `next-stop ${job.kind}` },
    make("span", { class: "over" }, say(state === "arrived" ? "you_are_here" : "next_stop")),
    make("strong", { class: "who" }, job.contact_name),
    make("span", { class: "where" }, job.address),
    make(
      "span",
      { class: "tags" },
      kindTag(job.kind),
      ...cautionTags(job),
      door.requirements.fee > 0 ? tag(say("collect", { money: money(door.requirements.fee) }), "cash") : null,
    ),
    facts([
      [say("planned"), `${time(stop.service_start)}${far !== undefined ? ` · ${metres(far)}` : ""}`],
      [say("promised"), job.window_start ? fromTo(job.window_start, job.window_end) : null],
    ]),
  );
}

export const tag = (text, kind) => make("span", { class: `tag ${kind}` }, text);
export const kindTag = (kind) => make("span", { class: `tag ${kind}` }, icon(kind), say(kind));
export const cautionTags = (job) =>
  (job.cautions ?? []).map((caution) =>
    make("span", { class: "tag caution" }, icon("warn"), say(`caution_${caution}`)),
  );

let unfolded = false; // what is over, over the screen's own renewals

// What is still to be done, in order; what is over lies folded beneath it.
function list(day, first, phone) {
  const late = lateness(
    day,
    day.stops.filter(({ state }) => isOpen(state)),
    phone,
  );
  const rows = (stops) =>
    make(
      "ol",
      { class: "stops" },
      ...stops.map((one) => make("li", {}, row(one, one === first, day.ways[one.stop.id], late, phone))),
    );
  const over = day.stops.filter(({ state }) => !isOpen(state));
  const ahead = day.stops.filter(({ state }) => isOpen(state));
  if (!over.length) return rows(ahead);
  const folded = make(
    "details",
    { class: "over-list" },
    make("summary", {}, say("over", { n: over.length })),
    rows(over),
  );
  folded.open = unfolded || !ahead.length;
  folded.addEventListener("toggle", () => {
    unfolded = folded.open;
  });
  return make("div", {}, ahead.length ? rows(ahead) : null, folded);
}

// Whether what was promised can still be kept.
function promise({ job, service_start: at }, late, phone) {
  if (!job.window_end) return null;
  const end = Date.parse(job.window_end);
  if (Date.now() + phone.skew > end) return tag(say("promise_broken"), "bad");
  return late > LATE_MS && Date.parse(at) + late > end ? tag(say("promise_at_risk"), "caution") : null;
}

function row({ stop, door, state, sending, trouble }, isNext, far, late, phone) {
  const { job } = stop;
  const open = isOpen(state);
  const done = state === "completed";
  return make(
    "a",
    { href: `#/stop/${stop.id}`, class: `stop ${open ? "open" : "over"} ${job.kind}${isNext ? " now" : ""}` },
    make(
      "span",
      { class: "number", "aria-hidden": "true" },
      open ? String(stop.position) : icon(state === "failed" || state === "cancelled" ? "cross" : "tick"),
    ),
    make(
      "span",
      { class: "what" },
      make("span", { class: "unseen" }, say("stop_number", { n: stop.position })),
      make("strong", {}, job.contact_name),
      make("span", { class: "where" }, job.address),
      make(
        "span",
        { class: "tags" },
        kindTag(job.kind),
        ...(open ? cautionTags(job) : []),
        open && door.requirements.fee > 0 ? tag(money(door.requirements.fee), "cash") : null,
        open ? promise(stop, late, phone) : tag(say(done ? `did_${job.kind}` : `stop_${state}`), state),
        sending ? make("span", { class: "tag waiting" }, icon("up"), say("on_phone")) : null,
        trouble ? make("span", { class: "tag bad" }, icon("bad"), say("trouble")) : null,
      ),
    ),
    make(
      "span",
      { class: "when" },
      make("span", {}, time(stop.service_start)),
      open && far !== undefined ? make("small", {}, metres(far)) : null,
    ),
  );
}

function action(phone, day, open) {
  const [first] = open;
  if (day.state === "withdrawn")
    return next(say("what_to_do"), () => go(`#/trouble/withdrawn/${day.round.id}`), { kind: "main-action wide bad" });
  if (day.state === "published") return next(say("prepare"), () => go("#/ready"));
  if (day.state === "started" && first)
    return next(say("next_of", { n: first.stop.position, name: first.stop.job.contact_name }), () =>
      go(`#/stop/${first.stop.id}`),
    );
  if (day.state === "started") return next(say("finish_round"), () => finishRound(phone, day));
  if (phone.toHandIn().length > 0 && !first) return next(say("hand_in"), () => go("#/office"));
  return null;
}

async function finishRound(phone, day) {
  const sure = await ask(say("finish_round"), say("finish_text"), [
    [true, say("finish_yes")],
    [false, say("not_yet"), "plain"],
  ]);
  if (!sure) return;
  await phone.enqueue(operations.finish(day.round));
  go("#/office");
}
