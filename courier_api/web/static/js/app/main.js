// Opens the app: the database, who is signed in, the sender, the screens. Everything that a screen needs is handed to it.
import { find, show } from "../dom.js";
import { StorageFull, openDatabase } from "../device/store.js";
import { say, told } from "../told.js";
import { icon, tell } from "./parts.js";
import { openPhone } from "./phone.js";
import { go, refresh, replace, start } from "./router.js";
import * as session from "./session.js";
import { roundScreen } from "./screens/round.js";
import { unopenedScreen } from "./screens/unopened.js";
import { openServices } from "./services.js";
import { followVersion, keepShell, within } from "./shell.js";

// What the first screen does without: loaded behind it, so that a cheap phone shows the round sooner.
const LATER = {
  clerk: () => import("./screens/clerk.js"),
  door: () => import("./screens/door.js"),
  early: () => import("./screens/early.js"),
  failure: () => import("./screens/failure.js"),
  handed: () => import("./screens/handed.js"),
  map: () => import("./screens/map.js"),
  me: () => import("./screens/me.js"),
  office: () => import("./screens/office.js"),
  plan: () => import("./screens/plan.js"),
  queue: () => import("./screens/queue.js"),
  pad: () => import(told.signature_pad),
  ready: () => import("./screens/ready.js"),
  receipt: () => import("./screens/receipt.js"),
  remark: () => import("./screens/remark.js"),
  signIn: () => import("./screens/sign-in.js"),
  stop: () => import("./screens/stop.js"),
  traccar: () => import("./screens/traccar.js"),
  trouble: () => import("./screens/trouble.js"),
};
const later =
  (name, build) =>
  async (...params) => {
    const screens = await LATER[name]();
    return phone && build(screens)(...params); // nobody is signed in any more: the way in comes up by itself
  };

const LATE_MS = 5_000; // what stands behind the first screen waits for it no longer
const OWN_MS = 1_000; // by then a sign-in of this tab's own is known here too

let watched = null;
let services = null;
let phone = null;
let half = false; // whether something could not be loaded: it stays so as long as this page

async function open() {
  await session.load();
  if (session.session()) await begin();
  await showFirst();
  document.body.dataset.open = "";
  performance.mark("open");
  Promise.all(Object.values(LATER).map((load) => load())).catch(halfLoaded);
}

// What works behind the screens begins also where the first cannot be shown, or takes for ever to load.
async function showFirst() {
  const up = start(routes()).catch(fallBack);
  settled(up).then(work);
  await up;
}

const settled = (what) =>
  within(
    LATE_MS,
    what.catch(() => {}),
  );

// Where the screen that the address names cannot be shown, the round still can.
async function fallBack(error) {
  await replace("#/");
  fault(error);
}

// Everything for the courier who is signed in now.
async function begin() {
  await end();
  const database = await openDatabase();
  services = await openServices(database, session);
  phone = await openPhone({ database, outbox: services.outbox, session: session.session() });
  phone.half = half;
  phone.addEventListener("change", pill);
  services.outbox.subscribe(() => phone?.load().then(refresh));
  whenAnother(database);
  pill();
}

function work() {
  if (phone) Promise.all([services.outbox.start(), services.watch(phone)]).catch(halfLoaded);
}

// A page that is not kept on the phone may have lost the network before all was read.
function halfLoaded(error) {
  console.error(error);
  half = true;
  if (phone) phone.half = true;
  refresh();
}

// Who signs in in another tab is the one whose phone it is now: this tab opens anew for him.
async function whenAnother(database) {
  const { liveQuery } = await import(told.dexie);
  watched?.unsubscribe();
  watched = liveQuery(() => database.facts.get("session")).subscribe((row) => {
    const isAnother = () => Boolean(row) && row.value.person_id !== session.session()?.person_id;
    if (isAnother())
      setTimeout(() => {
        if (isAnother()) location.reload();
      }, OWN_MS);
  }, console.warn);
}

async function end() {
  watched?.unsubscribe();
  services?.close();
  services = phone = null;
  pill();
}

function routes() {
  const signed =
    (screen) =>
    (...params) =>
      phone ? screen(...params) : enter();
  const signedIn = async () => {
    await begin();
    await showFirst();
    go("#/ready");
  };
  const enter = async () => (await LATER.signIn()).signInScreen(signedIn)();
  const table = [[/^#\/sign-in$/, enter]];
  if (!phone) return [...table, [/^/, enter]];
  const id = "([0-9a-f-]{36})";
  return [
    ...table,
    [/^#\/$/, roundScreen(phone)],
    [/^#\/ready$/, later("ready", ({ readyScreen }) => readyScreen(phone, services.prepare))],
    [/^#\/map$/, later("map", ({ mapScreen }) => mapScreen(phone))],
    [new RegExp(`^#/map/${id}$`), later("map", ({ mapScreen }) => mapScreen(phone))],
    [new RegExp(`^#/stop/${id}$`), later("stop", ({ stopScreen }) => stopScreen(phone))],
    [
      new RegExp(`^#/stop/${id}/(pickup|delivery)(?:/(\\w+))?$`),
      later("door", ({ doorScreen }) => doorScreen(phone, services.outbox.writing)),
    ],
    [new RegExp(`^#/stop/${id}/failure$`), later("failure", ({ reasonScreen }) => reasonScreen(phone))],
    [new RegExp(`^#/stop/${id}/failure/(\\w+)$`), later("failure", ({ failureScreen }) => failureScreen(phone))],
    [new RegExp(`^#/receipt/${id}$`), later("receipt", ({ receiptScreen }) => receiptScreen(phone))],
    [new RegExp(`^#/slip/${id}$`), later("failure", ({ slipScreen }) => slipScreen(phone))],
    [new RegExp(`^#/remark/${id}$`), later("remark", ({ remarkScreen }) => remarkScreen(phone))],
    [new RegExp(`^#/plan/${id}$`), later("plan", ({ planScreen }) => planScreen(phone))],
    [/^#\/early$/, later("early", ({ earlyScreen }) => earlyScreen(phone))],
    [/^#\/office$/, later("office", ({ officeScreen }) => officeScreen(phone))],
    [/^#\/office\/sign$/, later("clerk", ({ clerkScreen }) => clerkScreen(phone, services.outbox.writing))],
    [new RegExp(`^#/handed/${id}$`), later("handed", ({ handedScreen }) => handedScreen(phone))],
    [/^#\/queue$/, later("queue", ({ queueScreen }) => queueScreen(phone, services.backup))],
    [
      /^#\/me$/,
      later("me", ({ meScreen }) =>
        meScreen(phone, async () => {
          await end();
          await start(routes());
          go("#/sign-in");
        }),
      ),
    ],
    [/^#\/traccar$/, later("traccar", ({ traccarScreen }) => traccarScreen())],
    [/^#\/trouble\/key$/, later("trouble", ({ keyScreen }) => keyScreen(phone, services.backup))],
    [new RegExp(`^#/trouble/withdrawn/${id}$`), later("trouble", ({ withdrawnScreen }) => withdrawnScreen(phone))],
    [/^#\/trouble\/full$/, later("trouble", ({ fullScreen }) => fullScreen(phone, services.backup))],
  ].map(([form, screen]) => [form, signed(screen)]);
}

// How much has not been sent, on every screen.
function pill() {
  const element = find("#pill");
  show(element, Boolean(phone));
  if (!phone) return;
  const { operations, photos } = phone.outbox.counts();
  const waiting = operations + photos;
  element.replaceChildren(icon("up"), String(waiting));
  element.setAttribute("aria-label", say("queue_pill", { n: waiting }));
  element.classList.toggle("waiting", waiting > 0);
  show(find("#duty"), phone.onDuty && phone.duty === "on");
}

function fault(error) {
  if (error instanceof StorageFull) {
    go("#/trouble/full");
    return;
  }
  console.error(error);
  tell(half ? say("half_loaded") : say("fault", { what: error?.detail ?? error?.name ?? "?" }), { seconds: 12 });
}

addEventListener("courier:fault", ({ detail }) => fault(detail));
addEventListener("courier:news", () => refresh());
addEventListener("unhandledrejection", ({ reason }) => fault(reason));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) phone?.load().then(refresh);
});

followVersion();
const opened = open().catch((error) => {
  console.error(error);
  services?.outbox.start().catch(console.warn); // what is signed goes out all the same
  return start([[/^/, unopenedScreen(error)]]);
});
// Behind the opening; what cannot be opened wants a newer version all the more.
settled(opened).then(keepShell);
