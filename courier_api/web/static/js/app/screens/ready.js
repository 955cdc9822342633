// Before leaving: everything for the day is fetched, and what is still missing is said, each with what to do.
import { make } from "../../dom.js";
import { clock } from "./when.js";
import { say } from "../../told.js";
import * as operations from "../operations.js";
import { ask, button, icon, notice, tell } from "../parts.js";
import { go, next, refresh, render } from "../router.js";

const STEPS = ["round", "doors", "office", "bags", "tiles", "map", "key", "clock", "persist", "storage"];
const ADVICE = ["persist", "storage", "tiles", "map", "clock", "office"]; // one may leave without

export const readyScreen = (phone, prepare) => async () => {
  const state = phone.prepared ?? { missing: [], at: null };
  const missing = new Set([...state.missing, ...(bagsMissing(phone).length ? ["bags"] : [])]);
  if (!phone.current) missing.add("round");
  const grave = [...missing].filter((step) => !ADVICE.includes(step));
  const list = make("ul", { class: "checklist" });
  for (const step of STEPS)
    list.append(
      state.at
        ? row(step, !missing.has(step), phone)
        : make("li", {}, icon("down"), make("strong", {}, say(`need_${step}`))),
    );
  const day = phone.current;
  const fetch = () => fetchAll(phone, prepare);
  return {
    title: say("ready_title"),
    back: "#/",
    live: true,
    body: [
      state.at
        ? grave.length
          ? notice("warn", say("not_ready"), say("not_ready_text"))
          : notice("good", say("ready"), say("ready_text", { time: clock(state.at) }))
        : notice("info", say("fetch_first"), say("fetch_first_text")),
      list,
      installCard(),
      state.at && !grave.length ? button(say("fetch_again"), fetch, { kind: "second-action", symbol: "down" }) : null,
    ],
    action: wayOut(phone, state, day, grave, fetch),
  };
};

// What is missing is fetched first; who leaves all the same does so by the smaller button.
function wayOut(phone, { at }, day, grave, fetch) {
  if (!at) return next(say("fetch"), fetch, { symbol: "down" });
  const mayLeave = day?.state === "published";
  if (!grave.length) return mayLeave ? next(say("leave_office"), () => leave(phone, day, grave)) : null;
  return [
    next(say("fetch_again"), fetch, { symbol: "down" }),
    mayLeave ? button(say("leave_anyway"), () => leave(phone, day, grave), { kind: "second-action" }) : null,
  ];
}

function row(step, good, phone) {
  const bags = step === "bags" ? bagsMissing(phone) : [];
  return make(
    "li",
    { class: good ? "good" : ADVICE.includes(step) ? "warn" : "bad" },
    icon(good ? "tick" : ADVICE.includes(step) ? "warn" : "cross"),
    make(
      "div",
      {},
      make("strong", {}, say(`need_${step}`)),
      good ? null : make("p", {}, say(`lack_${step}`)),
      bags.length ? make("p", {}, some(bags)) : null,
    ),
  );
}

const MOST_NAMED = 5;

function some(names) {
  const more = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED), ...(more > 0 ? [say("and_more", { n: more })] : [])].join(", ");
}

// What is to be delivered must be in the courier's bag before he leaves.
function bagsMissing(phone) {
  const day = phone.current;
  if (!day) return [];
  const mine = new Set(phone.items.map(({ id }) => id));
  return day.stops
    .filter(
      ({ state, stop, custody }) => state === "pending" && stop.job.kind === "delivery" && !mine.has(custody.item_id),
    )
    .map(({ stop }) => `${stop.position}. ${stop.job.contact_name} (${stop.job.tracking_number})`);
}

async function fetchAll(phone, prepare) {
  tell(say("fetching"), { seconds: 30 });
  const { missing } = await prepare((step) =>
    tell(say("fetching_step", { what: say(`need_${step}`) }), { seconds: 30 }),
  );
  await phone.keep("prepared", { missing, at: new Date().toISOString() });
  await phone.load();
  const lacks = missing.some((step) => !ADVICE.includes(step)) || bagsMissing(phone).length > 0;
  tell(say(lacks ? "fetched_some" : "fetched_all"));
  await render();
}

async function leave(phone, day, grave) {
  if (grave.length) {
    const sure = await ask(say("not_ready"), say("leave_anyway_text"), [
      [true, say("leave_anyway")],
      [false, say("go_back"), "plain"],
    ]);
    if (!sure) return;
  }
  const operation = await phone.enqueue(operations.start(day.round));
  go("#/");
  tell(say("on_the_way"), { action: say("undo"), act: () => phone.undo(operation.id) });
}

// The browser offers to install; the offer waits here until it is wanted.
let offer = null;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer = event;
  refresh();
});
addEventListener("appinstalled", () => {
  offer = null;
  refresh();
});

export function installCard() {
  if (matchMedia("(display-mode: standalone)").matches) return null;
  if (!offer) return make("p", { class: "soft" }, say("install_by_menu"));
  return button(
    say("install"),
    async () => {
      await offer.prompt();
      offer = null;
      await render();
    },
    { kind: "second-action", symbol: "down" },
  );
}
