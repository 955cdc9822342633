// The page of cases: signs in, lists, opens one by the address's #, and says what became of it.
import { FAULTS } from "../device/counter.js";
import { showDevice, whyNot } from "../device/shown.js";
import { find, make, show } from "../dom.js";
import { count } from "../format.js";
import { message } from "../message.js";
import { forget, holder, signOut, takeTokenFromAddress, token } from "../session.js";
import { readyForms } from "../signing.js";
import { say } from "../told.js";
import { drawForm } from "./deciding.js";
import { drawCase, drawDecision } from "./detail.js";
import { decidedEntry, openEntry } from "./list.js";
import { readCase, readDecided, readOpen } from "./reading.js";
import { decided } from "./says.js";
import { settle } from "./signing.js";

let loaded = false;
let asked = 0; // answers to older questions are dropped
let opened = ""; // the case that was last looked at, to come back to its place in the list
let news = null; // what was just decided, said once the list is there again

takeTokenFromAddress();
readyForms(message, () => enter());
addEventListener("hashchange", () => (takeTokenFromAddress() ? enter() : token() && route()));
find("#sign-out").addEventListener("click", () => leave());
find("#more").addEventListener("click", (event) => more(event.target.dataset.cursor));
if (token()) enter();
else signed(false);

async function enter() {
  signed(true);
  await settle();
  route();
}

async function leave() {
  asked += 1;
  message.clear();
  signed(false);
  await signOut();
}

async function signInAgain() {
  await leave();
  find("#phone").focus();
}

function route() {
  const id = location.hash.slice(1);
  showDevice(find("#device"), holder(), signInAgain);
  return /^[0-9a-f-]{36}$/.test(id) ? openCase(id) : openList();
}

async function openList() {
  const question = ++asked;
  view("list");
  if (!news) message.tell(say("loading"));
  try {
    const [open, done] = await Promise.all([readOpen(token()), readDecided(token())]);
    if (question !== asked) return;
    message.clear();
    showOpen(open, []);
    loaded = true;
    view("list");
    find("#decided").replaceChildren(...done.map(decidedEntry));
    show(find("#none-decided"), done.length === 0);

    comeBack();
  } catch (problem) {
    if (question === asked) refused(problem, openList);
  }
}

async function more(cursor) {
  const question = ++asked;
  try {
    const next = await readOpen(token(), cursor);
    if (question !== asked) return;
    const entries = showOpen(next, [...find("#open").children]);
    entries[0]?.firstChild.focus();
  } catch (problem) {
    if (question === asked) refused(problem, () => more(cursor));
  }
}

function showOpen({ cases, next }, before) {
  const entries = cases.map(openEntry);
  const all = [...before, ...entries];
  find("#open").replaceChildren(...all);
  find("#count").textContent = waiting(all.length, next);
  find("#more").dataset.cursor = next ?? "";
  show(find("#more"), Boolean(next));
  show(find("#none"), all.length === 0);
  return entries;
}

function waiting(number, more) {
  if (more) return say("count_more", { count: count(number) });
  if (number === 1) return say("count_one");
  return number ? say("count", { count: count(number) }) : say("count_none");
}

function comeBack() {
  if (news) {
    message.tell(news, { good: true });
    message.element.focus();
    scrollTo({ top: 0 });
  } else if (opened) {
    (find(`[data-case="${opened}"]`) ?? find("#title")).focus();
  }
  news = null;
  opened = "";
}

async function openCase(id) {
  const question = ++asked;
  message.tell(say("loading"));
  try {
    const [one, cannot] = await Promise.all([readCase(token(), id), whyNot(holder())]);
    if (question !== asked) return;
    message.clear();
    opened = id;
    const { heading, parts } = drawCase(one);
    const last = one.decision ? drawDecision(one) : drawForm(one, { cannot, done, refused: isOver, signInAgain });
    find("#case-view").replaceChildren(...parts, last);
    view("case");
    scrollTo({ top: 0 });
    heading.focus({ preventScroll: true });
  } catch (problem) {
    if (question !== asked) return;
    find("#case-view").replaceChildren(make("a", { href: "#", class: "back" }, say("all_cases")));
    view("case");
    if (problem.status === 404) message.tell(say("not_found"), { bad: true });
    else refused(problem, () => openCase(id));
  }
}

function done(one) {
  news = say("decided", { decision: decided(one) });
  opened = "";
  location.hash = "";
}

// A session that has ended is not the form's business; of a key that has ended the quiet line is to know.
function isOver(problem) {
  if (FAULTS.includes(problem.code)) showDevice(find("#device"), holder(), signInAgain);
  if (problem.status !== 401 && problem.status !== 403) return false;
  refused(problem);
  return true;
}

function refused(problem, again) {
  if (problem.status === 401 || problem.status === 403) {
    forget();
    signed(false);
    message.tell(say(problem.status === 401 ? "expired" : "wrong_role"), { bad: true });
    find("#phone").focus();
    return;
  }
  if (problem.status === undefined) console.warn(problem);
  message.tell(problem.status === undefined ? say("broken") : problem.message, { bad: true, again });
}

function view(name) {
  show(find("#list-view"), name === "list");
  show(find("#lists"), name === "list" && loaded);
  show(find("#case-view"), name === "case");
  find("#main").classList.toggle("wide", name === "case");
}

function signed(isIn) {
  if (!isIn) {
    loaded = false;
    view("list");
  }
  document.querySelectorAll("[data-signed]").forEach((part) => show(part, (part.dataset.signed === "in") === isIn));
}
