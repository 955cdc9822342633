// Which screen is shown: the part of the address behind #. A screen gives its title, its content and its one main action.
import { find, make } from "../dom.js";
import { say } from "../told.js";
import { button, icon, isUp, quiet } from "./parts.js";

const TABS = [
  ["#/", "tab_round", "list"],
  ["#/map", "tab_map", "map"],
  ["#/office", "tab_office", "office"],
  ["#/me", "tab_me", "person"],
];

const CLICK_MS = 200; // from the finger's leaving until the press has been shown and its work has begun

let routes = [];
let shown = null; // {leave, refresh} of the screen that is up
let turn = 0;

export const go = (hash) => {
  if (location.hash === hash) render();
  else location.hash = hash;
};
export const replace = (hash) => {
  history.replaceState(history.state, "", hash);
  return render();
};

export function start(table) {
  if (!routes.length) {
    history.scrollRestoration = "manual"; // where a screen stood the trail knows
    addEventListener("hashchange", () => render());
    find("#back").addEventListener("click", back);
  }
  routes = table;
  return render();
}

// The way that led here, entry for entry as the browser keeps it: each entry's number stands in its state.
const trail = []; // [{hash, stood}]
let stand = 0;

// Gives where a screen stood to which the reader comes back, else null.
function step(hash) {
  const known = history.state?.entry;
  const back_ = known !== undefined && known < stand;
  if (trail[stand]) trail[stand].stood = standing();
  stand = known ?? (trail.length ? stand + 1 : 0);
  if (known === undefined) {
    trail.length = stand;
    history.replaceState({ entry: stand }, "");
  }
  const before = trail[stand];
  trail[stand] = { hash, stood: null };
  return back_ && before?.hash === hash ? before.stood : null;
}

const linksOn = () => find("#screen").querySelectorAll("a[href]");

// How far the screen is scrolled, and which link stands where: of a long list the height above it is not known for sure.
function standing() {
  for (const link of linksOn()) {
    const { top, bottom } = link.getBoundingClientRect();
    if (bottom > 0) return { scroll: scrollY, href: link.getAttribute("href"), top };
  }
  return { scroll: scrollY, href: null, top: 0 };
}

// All of it is laid out for that: by guessed heights the end of a list would be out of reach.
function scrollBack({ scroll, href, top }) {
  find("#screen").classList.add("whole");
  scrollTo(0, scroll);
  const link = [...linksOn()].find((one) => one.getAttribute("href") === href);
  if (link?.getClientRects().length) scrollBy(0, link.getBoundingClientRect().top - top);
}

// The arrow at the top and the phone's own way back lead the same way; no entry stands twice behind each other.
function back(event) {
  event.preventDefault();
  const to = find("#back").getAttribute("href");
  if (trail[stand - 1]?.hash === to) history.back();
  else replace(to);
}

// Shows what has changed, unless the screen keeps a half-filled form. Never between a finger's down and up, nor until the
// work of a press is done: the button beneath it would be another, that can be pressed again. What is on its way is not
// begun anew.
export function refresh() {
  const live = Boolean(shown?.live);
  late = live && (pressed || isActing() || !isUp());
  if (live && !late) render({ again: true });
}

const isActing = () => document.querySelector("#screen [aria-disabled=true], #action [aria-disabled=true]") !== null;

function catchUp() {
  if (late) refresh();
}

let pressed = false;
let lifted = null;
let late = false;
for (const what of ["courier:acted", "courier:shown"]) addEventListener(what, catchUp);
addEventListener(
  "pointerdown",
  () => {
    clearTimeout(lifted);
    pressed = true;
  },
  { capture: true },
);
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(
    end,
    () => {
      clearTimeout(lifted);
      lifted = setTimeout(() => {
        pressed = false;
        catchUp();
      }, CLICK_MS);
    },
    { capture: true },
  );
}

export async function render({ again = false } = {}) {
  const mine = ++turn;
  const hash = location.hash || "#/";
  again &&= isUp(); // or it is on the way to another
  const [, screen, params] =
    routes.map(([form, make_]) => [form, make_, form.exec(hash)]).find(([, , match]) => match) ?? [];
  if (!screen) return hash === "#/" ? null : replace("#/"); // before the app is open there is none at all
  try {
    const made = await screen(...params.slice(1).map(decodeURIComponent));
    if (mine !== turn) {
      made?.leave?.();
      return null;
    }
    if (!made) return null; // it has gone on to another
    const first = !shown;
    if (!again) shown?.leave?.();
    shown = made;
    put(made, hash, { first, again, stood: again ? standing() : step(hash) });
    made.arrive?.();
    return made;
  } catch (fault) {
    // The address is that of the screen that stays: who presses again tries again.
    if (mine === turn && shown) history.replaceState(history.state, "", document.body.dataset.screen);
    throw fault;
  } finally {
    if (mine === turn) dispatchEvent(new Event("courier:shown"));
  }
}

function put({ title, body, action = null, tabs = false, back: to = null }, hash, { first, again, stood }) {
  const content = body.filter(Boolean);
  if (again && isSame(content)) return;
  if (!again) closeWhatLiesOver(hash);
  document.body.dataset.screen = hash;
  const heading = find("#title");
  heading.textContent = title;
  document.title = `${title} – ${say("app_short")}`;
  const leave = find("#back");
  leave.hidden = !to;
  if (to) leave.href = to;
  find("#screen").replaceChildren(...content);
  const foot = find("#action");
  foot.replaceChildren(...[action].flat().filter(Boolean));
  foot.hidden = foot.childElementCount === 0;
  const bar = find("#tabs");
  bar.hidden = !tabs;
  if (tabs) bar.replaceChildren(...TABS.map(([href, key, symbol]) => tab(href, key, symbol, hash)));
  find("#screen").classList.remove("whole");
  if (stood) scrollBack(stood);
  else if (!first) scrollTo(0, 0);
  if (!again && !first) heading.focus({ preventScroll: true }); // the first is read from its beginning, and is up sooner
}

// A sheet belongs to the screen over which it was opened, and a word to the one that it was said on.
function closeWhatLiesOver(hash) {
  for (const sheet of document.querySelectorAll("dialog[open]"))
    sheet.dispatchEvent(new Event("cancel", { cancelable: true }));
  quiet(hash);
}

// Whether a screen made anew looks as the one that is up: then that one stays, and with it the reader's finger.
function isSame(content) {
  const box = make("div");
  box.append(...content.map((element) => element.cloneNode(true)));
  return box.innerHTML === find("#screen").innerHTML;
}

function tab(href, key, symbol, hash) {
  const here = href === hash;
  return make(
    "a",
    { href, class: "tab", "aria-current": here ? "page" : null },
    icon(symbol),
    make("span", {}, say(key)),
  );
}

export const next = (text, act, options = {}) => button(text, act, { kind: "main-action wide", ...options });
