// Opens the app: the database, who is signed in, the sender, the screens. Everything that a screen needs is handed to it.
import { find, show } from "../dom.js";
import { StorageFull, openDatabase } from "../device/store.js";
import { say } from "../told.js";
import { icon, tell } from "./parts.js";
import { openPhone } from "./phone.js";
import { go, refresh, render, start } from "./router.js";
import * as session from "./session.js";
import { doorScreen } from "./screens/door.js";
import { failureScreen, reasonScreen, slipScreen } from "./screens/failure.js";
import { mapScreen } from "./screens/map.js";
import { meScreen } from "./screens/me.js";
import { officeScreen, officeSignScreen } from "./screens/office.js";
import { planScreen } from "./screens/plan.js";
import { queueScreen } from "./screens/queue.js";
import { readyScreen } from "./screens/ready.js";
import { receiptScreen } from "./screens/receipt.js";
import { remarkScreen } from "./screens/remark.js";
import { roundScreen } from "./screens/round.js";
import { signInScreen } from "./screens/sign-in.js";
import { stopScreen } from "./screens/stop.js";
import { traccarScreen } from "./screens/traccar.js";
import { fullScreen, keyScreen, withdrawnScreen } from "./screens/trouble.js";
import { openServices } from "./services.js";
import { keepShell } from "./shell.js";

let services = null;
let phone = null;

async function open() {
  keepShell();
  await session.load();
  if (session.session()) await begin();
  await start(routes());
  document.body.dataset.open = "";
  performance.mark("open");
}

// Everything for the courier who is signed in now.
async function begin() {
  await end();
  const database = await openDatabase();
  services = await openServices(database, session);
  phone = await openPhone({ database, outbox: services.outbox, session: session.session() });
  phone.addEventListener("change", pill);
  services.outbox.subscribe(() => phone.load().then(refresh));
  services.watch(phone);
  pill();
}

async function end() {
  services?.close();
  services = phone = null;
  pill();
}

function routes() {
  const { write } = services ?? {};
  const signed = (screen) => (...params) => (phone ? screen(...params) : enter());
  const enter = signInScreen(async () => { await begin(); await start(routes()); go("#/ready"); });
  const table = [[/^#\/sign-in$/, enter]];
  if (!phone) return [...table, [/^/, enter]];
  const id = "([0-9a-f-]{36})";
  return [
    ...table,
    [/^#\/$/, roundScreen(phone)],
    [/^#\/ready$/, readyScreen(phone, services.prepare)],
    [/^#\/map$/, mapScreen(phone)],
    [new RegExp(`^#/map/${id}$`), mapScreen(phone)],
    [new RegExp(`^#/stop/${id}$`), stopScreen(phone)],
    [new RegExp(`^#/stop/${id}/(pickup|delivery)(?:/(\\w+))?$`), doorScreen(phone, write)],
    [new RegExp(`^#/stop/${id}/failure$`), reasonScreen(phone)],
    [new RegExp(`^#/stop/${id}/failure/(\\w+)$`), failureScreen(phone)],
    [new RegExp(`^#/receipt/${id}$`), receiptScreen(phone)],
    [new RegExp(`^#/slip/${id}$`), slipScreen(phone)],
    [new RegExp(`^#/remark/${id}$`), remarkScreen(phone)],
    [new RegExp(`^#/plan/${id}$`), planScreen(phone)],
    [/^#\/office$/, officeScreen(phone)],
    [/^#\/office\/sign$/, officeSignScreen(phone, write)],
    [/^#\/queue$/, queueScreen(phone, services.backup)],
    [/^#\/me$/, meScreen(phone, async () => { await end(); await start(routes()); go("#/sign-in"); })],
    [/^#\/traccar$/, traccarScreen()],
    [/^#\/trouble\/key$/, keyScreen(phone)],
    [new RegExp(`^#/trouble/withdrawn/${id}$`), withdrawnScreen(phone)],
    [/^#\/trouble\/full$/, fullScreen(phone, services.backup)],
  ].map(([form, screen]) => [form, signed(screen)]);
}

// How much has not been sent, on every screen.
function pill() {
  const element = find("#pill");
  show(element, Boolean(phone));
  if (!phone) return;
  const { operations, photos } = phone.outbox.counts();
  const waiting = operations + photos;
  element.replaceChildren(icon(waiting ? "up" : "tick"), waiting ? String(waiting) : "");
  element.setAttribute("aria-label", waiting ? say("queue_pill", { n: waiting }) : say("queue_pill_none"));
  element.classList.toggle("waiting", waiting > 0);
  show(find("#duty"), phone.onDuty && phone.duty === "on");
}

function fault(error) {
  if (error instanceof StorageFull) { go("#/trouble/full"); return; }
  console.error(error);
  tell(say("fault", { what: error?.message ?? String(error) }), { seconds: 12 });
}

addEventListener("courier:fault", ({ detail }) => fault(detail));
addEventListener("courier:news", () => refresh());
addEventListener("unhandledrejection", ({ reason }) => fault(reason));
document.addEventListener("visibilitychange", () => { if (!document.hidden) phone?.load().then(refresh); });

open().catch((error) => { fault(error); render(); });
