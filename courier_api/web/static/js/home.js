// The first page: draws the ground for everybody, and the day's rounds for a dispatcher.
import { showCount } from "./cases/count.js";
import { loadDay, loadRound } from "./day.js";
import { showDevice } from "./device/shown.js";
import { find, show } from "./dom.js";
import { Drawing } from "./drawing.js";
import { inWords } from "./format.js";
import { drawGround } from "./ground.js";
import { message } from "./message.js";
import { listRounds, matching, showFigures, showPlanNews, showRound, showUnplanned } from "./panel.js";
import { forget, holder, signOut, takeTokenFromAddress, token } from "./session.js";
import { readyForms } from "./signing.js";
import { say } from "./told.js";

let today = null; // what loadDay gave
let drawing = null; // null where the map cannot be drawn: the lists work without it
let listAt = 0; // how far the list was scrolled when a round was chosen
let asked = 0; // answers to older questions are dropped

takeTokenFromAddress();
const ground = drawGround("map")
  .then((map) => {
    drawing = new Drawing(map, chooseRound);
  })
  .catch((fault) => {
    console.warn(fault);
    show(find("#map-fault"), true);
  });
readyForms(message, () => open());
addEventListener("hashchange", () => takeTokenFromAddress() && open());
find("#sign-out").addEventListener("click", async () => {
  close();
  await signOut();
});
find("#choice").addEventListener("submit", (event) => event.preventDefault());
find("#day").addEventListener("change", (event) => event.target.value && open(event.target.value));
find("#half").addEventListener("change", refresh);
find("#find").addEventListener("input", refresh);
find("#back").addEventListener("click", leaveRound);
addEventListener("keydown", (event) => event.key === "Escape" && !find("#round-view").hidden && leaveRound());
if (token()) open();

async function open(day) {
  const question = ++asked;
  signed(true);
  leaveRound();
  showDevice(find("#device"), holder(), signInAgain);
  showCount(find("#cases-link"), token());
  message.tell(say("loading"));
  try {
    const loaded = await loadDay(token(), day);
    await ground;
    if (question !== asked) return;
    today = loaded ?? { day: "", rounds: [], plans: [], unplanned: [] };
    message.clear();
    if (!loaded) message.tell(say("nothing_ever"));
    else if (today.rounds.length === 0) message.tell(say("nothing_planned"));
    find("#day").value = today.day;
    find("#day-words").textContent = today.day ? inWords(today.day) : "";
    showPlanNews(today.plans);
    refresh();
  } catch (problem) {
    if (question === asked) refused(problem, () => open(day));
  }
}

function close() {
  asked += 1;
  today = null;
  drawing?.clear();
  drawing?.show([]);
  drawing?.everything();
  message.clear();
  signed(false);
}

function refresh() {
  if (!today) return;
  const choice = { half: find("#half").value, text: find("#find").value };
  const rounds = matching(today.rounds, choice);
  showFigures(today, choice.half);
  listRounds(today.rounds.length ? rounds : [], chooseRound);
  show(find("#list"), today.rounds.length > 0);
  showUnplanned(today.unplanned.filter((job) => !choice.half || job.half === choice.half));
  drawing?.show(rounds);
}

async function chooseRound(id) {
  const question = ++asked;
  try {
    const { stops } = await loadRound(token(), id);
    if (question !== asked) return;
    const round = today.rounds.find((one) => one.id === id);
    message.clear();
    const heading = showRound(round, stops, (stop) => {
      drawing?.point(stop);
      mapIntoView();
    });
    find("#round").dataset.round = id;
    listAt = find("#panel").scrollTop;
    show(find("#day-view"), false);
    show(find("#round-view"), true);
    find("#panel").scrollTop = 0;
    drawing?.choose(round, stops);
    heading.focus({ preventScroll: true });
    mapIntoView();
  } catch (problem) {
    if (question === asked) refused(problem, () => chooseRound(id));
  }
}

function leaveRound() {
  if (find("#round-view").hidden) return;
  show(find("#round-view"), false);
  show(find("#day-view"), true);
  drawing?.clear();
  drawing?.everything();
  find("#panel").scrollTop = listAt;
  find(`[data-round="${find("#round").dataset.round}"]`)?.focus();
}

// On a phone the map stands above the list.
function mapIntoView() {
  if (matchMedia("(max-width: 56rem)").matches) scrollTo({ top: 0 });
}

function refused(problem, again) {
  if (problem.status === 401 || problem.status === 403) {
    forget();
    close();
    find("#staff").open = true;
    message.tell(say(problem.status === 401 ? "expired" : "wrong_role"), { bad: true });
  } else {
    if (!problem.status && !(problem.message === say("offline"))) console.warn(problem);
    message.tell(problem.status === undefined ? say("broken") : problem.message, { bad: true, again });
  }
}

async function signInAgain() {
  close();
  await signOut();
  find("#staff").open = true;
  find("#phone").focus();
}

function signed(isIn) {
  document.body.classList.toggle("signed", isIn);
  document.querySelectorAll("[data-signed]").forEach((part) => show(part, (part.dataset.signed === "in") === isIn));
}
