// The panel beside the map: figures of the day, the list of rounds, one round with its stops, what was not planned.
import { find, make, show } from "./dom.js";
import { count, fold, fromTo, kilometres, time } from "./format.js";
import { language, say, saysIt } from "./told.js";

const SHOWN_UNPLANNED = 100;

export function matching(rounds, { half, text }) {
  const wanted = fold(text.trim());
  return rounds.filter(
    (round) =>
      (!half || round.half === half) && fold(`${round.courier.full_name} ${round.office.name}`).includes(wanted),
  );
}

export function listRounds(rounds, choose) {
  find("#list").replaceChildren(
    ...rounds.map((round) => {
      const button = make(
        "button",
        { type: "button", "data-round": round.id },
        make("span", { class: "swatch", colour: round.colour }),
        make("span", { class: "who" }, round.courier.full_name),
        make(
          "span",
          { class: "count" },
          `${say("stops", { count: round.stop_count })} · ${say("km", { count: kilometres(round.metres) })}`,
        ),
        make("span", { class: "where" }, round.office.name),
        make("span", { class: "time" }, fromTo(round.departs_at, round.returns_at)),
      );
      button.addEventListener("click", () => choose(round.id));
      return make("li", {}, button);
    }),
  );
  if (rounds.length === 0) find("#list").append(make("li", { class: "nothing" }, say("nothing_found")));
  find("#count").textContent = say("list_shown", { count: rounds.length });
}

export function showFigures({ rounds, plans, unplanned }, half) {
  const inHalf = (thing) => !half || thing.half === half;
  const chosen = rounds.filter(inHalf);
  const sum = (list, of) => list.reduce((total, thing) => total + of(thing), 0);
  const left = unplanned.filter(inHalf).length;
  const planned = plans.filter((plan) => plan.state === "done" && inHalf(plan));
  find("#figures").replaceChildren(
    figure("figure_rounds", count(chosen.length)),
    figure("figure_stops", count(sum(chosen, (r) => r.stop_count))),
    figure("figure_km", kilometres(sum(chosen, (r) => r.metres))),
    ...(planned.length
      ? [
          figure("figure_planned", count(sum(planned, (p) => p.planned ?? 0))),
          figure("figure_unplanned", count(left), left ? "bad" : ""),
        ]
      : []),
  );
}

export function showPlanNews(plans) {
  const news = plans
    .filter((plan) => plan.state !== "done")
    .map((plan) => {
      const half = say(plan.half);
      return plan.state === "failed"
        ? say("plan_failed", { half })
        : say("plan_running", { half, progress: plan.progress });
    });
  find("#plan-news").replaceChildren(...news.map((text) => make("li", {}, text)));
  show(find("#plan-news"), news.length > 0);
}

export function showUnplanned(jobs) {
  show(find("#unplanned"), jobs.length > 0);
  find("#unplanned-count").textContent = count(jobs.length);
  const more = jobs.length - SHOWN_UNPLANNED;
  find("#unplanned-list").replaceChildren(
    ...jobs.slice(0, SHOWN_UNPLANNED).map(({ job, reason, detail, remedies }) =>
      make(
        "li",
        {},
        make("p", {}, make("strong", {}, say(job.kind)), ` · ${job.contact_name}`),
        make("p", {}, job.address, asked(job)),
        make("p", { class: "why" }, say(saysIt(`reason_${reason}`) ? `reason_${reason}` : "reason_other")),
        // The planner's own sentence is English.
        language === "en" ? make("p", { class: "detail" }, detail) : null,
        ...remedies.map(({ kind, courier, amount }) =>
          make(
            "p",
            { class: "remedy" },
            say(`remedy_${kind}`, {
              courier: courier.full_name,
              amount: count(amount),
              minutes: count(Math.ceil(amount / 60)),
            }),
          ),
        ),
      ),
    ),
    ...(more > 0 ? [make("li", {}, say("more_unplanned", { count: more }))] : []),
  );
}

export function showRound(round, stops, point) {
  const heading = make("h2", { tabindex: "-1" }, round.courier.full_name);
  find("#round").replaceChildren(
    make(
      "div",
      { class: "round-head" },
      make("span", { class: "swatch", colour: round.colour }),
      heading,
      make("p", {}, `${round.office.name} · ${say(round.half)} · ${say(`round_${round.state}`)}`),
      make(
        "dl",
        { class: "figures" },
        figure("figure_stops", count(stops.length)),
        figure("figure_km", kilometres(round.metres)),
        figure("figure_time", fromTo(round.departs_at, round.returns_at)),
      ),
    ),
    ...(round.geometry ? [] : [make("p", { class: "message" }, say("no_line"))]),
    make(
      "ol",
      { class: "stops", id: "stops", "aria-label": say("stops_of", { courier: round.courier.full_name }) },
      end(round.departs_at, say("departs"), round.office.name),
      ...stops.map((stop) => stopEntry(stop, round.colour, point)),
      end(round.returns_at, say("returns"), round.office.name),
    ),
  );
  return heading;
}

function stopEntry(stop, colour, point) {
  const { job } = stop;
  const button = make(
    "button",
    { type: "button", class: "stop" },
    make(
      "p",
      { class: "when" },
      `${time(stop.service_start)} · ${say(job.kind)}`,
      make("span", { class: "asked" }, early(stop), asked(job)),
    ),
    make("p", {}, job.contact_name),
    make("p", { class: "address" }, job.address),
    make("p", { class: `state state-${stop.state}` }, say(`stop_${stop.state}`)),
  );
  button.addEventListener("click", () => point(stop));
  return make("li", { class: "stop-entry" }, make("span", { class: "number", colour }, String(stop.position)), button);
}

function end(at, text, office) {
  return make(
    "li",
    { class: "end" },
    make("span", { class: "dot" }),
    make("div", {}, make("p", { class: "when" }, `${time(at)} · ${text}`), make("p", {}, office)),
  );
}

function early({ arrival, service_start: start }) {
  return new Date(start) - new Date(arrival) >= 5 * 60_000 ? ` · ${say("early", { at: time(arrival) })}` : null;
}

function asked(job) {
  return job.window_start ? ` · ${say("window", { times: fromTo(job.window_start, job.window_end) })}` : null;
}

function figure(key, value, kind = "") {
  return make("div", { class: kind }, make("dt", {}, say(key)), make("dd", {}, value));
}
