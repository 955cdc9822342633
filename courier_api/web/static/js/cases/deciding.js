// The form of a decision: a note, a choice, and a second look before it is signed; what goes wrong stands beside it.
import { FAULTS } from "../device/counter.js";
import { faultInWords } from "../device/shown.js";
import { NoKey } from "../device/turn.js";
import { make, show } from "../dom.js";
import { say, saysIt } from "../told.js";
import { decide } from "./signing.js";
import { decided, inWords, meant } from "./says.js";

const MOST = 300;
const drafts = new Map(); // notes that were begun, by case: a sign-in in between loses none

// `cannot` says why this device cannot sign, if it cannot; refused(problem) whether it has dealt with it itself.
export function drawForm(one, { cannot, done, refused, signInAgain }) {
  const note = make("textarea", { id: "note", rows: "3", "aria-describedby": "note-hint", required: "" });
  const error = make("p", { class: "error", id: "note-error" });
  const field = make(
    "div",
    { class: "field" },
    make("label", { for: "note" }, say("note")),
    make("p", { class: "hint", id: "note-hint" }, say("note_hint")),
    note,
  );
  const fault = make("div", { class: "fault", role: "alert", tabindex: "-1" });
  const choices = make("ul", { class: "choices" }, ...possible(one).map((decision) => choice(one, decision, ask)));
  const form = make(
    "form",
    { novalidate: "" },
    field,
    make("p", { id: "choose" }, make("strong", {}, say("choose"))),
    choices,
  );
  const sure = make("div", { class: "sure", role: "group", "aria-labelledby": "sure-heading" });
  const section = make(
    "section",
    { class: "card deciding", "aria-labelledby": "decide-heading" },
    make("h2", { id: "decide-heading" }, say("decide_heading")),
    fault,
    form,
    sure,
  );
  note.value = drafts.get(one.id) ?? "";
  note.addEventListener("input", () => drafts.set(one.id, note.value));
  form.addEventListener("submit", (event) => event.preventDefault());
  step(form);
  if (cannot) fault.replaceChildren(make("p", {}, cannot), again());
  return section;

  function step(shown) {
    show(form, shown === form);
    show(sure, shown === sure);
  }

  function mark(problem) {
    error.replaceChildren(problem ?? "");
    if (problem) note.before(error);
    else error.remove();
    field.classList.toggle("wrong", Boolean(problem));
    note.toggleAttribute("aria-invalid", Boolean(problem));
    note.setAttribute("aria-describedby", problem ? "note-hint note-error" : "note-hint");
    if (problem) note.focus();
  }

  function ask(decision) {
    const length = [...note.value.trim()].length;
    fault.replaceChildren();
    mark(length === 0 ? say("note_missing") : length > MOST ? say("note_too_long") : null);
    if (length === 0 || length > MOST) return;
    const words = say("sure_heading", { decision: decided(one, decision) });
    const heading = make("h3", { id: "sure-heading", tabindex: "-1" }, words);
    const yes = make("button", { type: "button", class: "main-action" }, say("sure_yes"));
    const no = make("button", { type: "button", class: "plain" }, say("sure_no"));
    yes.addEventListener("click", () => perform(decision, yes, no));
    no.addEventListener("click", () => {
      fault.replaceChildren();
      step(form);
      note.focus();
    });
    sure.replaceChildren(
      heading,
      make("p", {}, meant(one, decision)),
      make("p", { class: "over" }, say("sure_note")),
      make("blockquote", {}, note.value.trim()),
      make("p", {}, make("strong", {}, say("sure_text"))),
      make("div", { class: "pair" }, yes, no),
    );
    step(sure);
    heading.focus();
  }

  async function perform(decision, yes, no) {
    fault.replaceChildren();
    for (const button of [yes, no]) button.disabled = true;
    yes.textContent = say("sending");
    try {
      const ended = await decide(one, decision, note.value);
      drafts.delete(one.id);
      done(ended);
    } catch (problem) {
      if (!refused(problem)) tell(decision, problem);
    } finally {
      for (const button of [yes, no]) button.disabled = false;
      yes.textContent = say("sure_yes");
    }
  }

  function tell(decision, problem) {
    const { heading, advice } = explained(decision, problem);
    fault.replaceChildren(make("p", {}, heading), ...advice.map((text) => make("p", {}, text)));
    if (problem instanceof NoKey || FAULTS.includes(problem.code)) fault.append(again());
    if (!advice.includes(say("unsure"))) step(form); // else the same button sends it again
    fault.focus();
  }

  function again() {
    const button = make("button", { type: "button", class: "plain" }, say("sign_in_again"));
    button.addEventListener("click", signInAgain);
    return button;
  }
}

// Only a handover and cash paid in can be recorded by force; the API says so only when it is tried.
const RECORDED = ["custody.handover", "courier.settlement"];

function possible({ decisions, event }) {
  const fits = (decision) => decision !== "record" || RECORDED.includes(event?.typ);
  return decisions.filter((decision) => saysIt(`do_${decision}`) && fits(decision));
}

function choice(one, decision, ask) {
  const button = make(
    "button",
    { type: "button", "data-decision": decision },
    make("strong", {}, decided(one, decision)),
    make("span", {}, meant(one, decision)),
  );
  button.addEventListener("click", () => ask(decision));
  return make("li", {}, button);
}

function explained(decision, problem) {
  if (problem instanceof NoKey) return { heading: say("device_none"), advice: [] };
  if (FAULTS.includes(problem.code)) return { heading: faultInWords(problem.code), advice: [] };
  if (problem.status === undefined) console.warn(problem);
  const sentence = problem.status === undefined ? say("broken") : inWords(problem.message);
  const details = (problem.fields ?? []).map(({ detail }) => inWords(detail)).filter((text) => text !== sentence);
  if (!problem.status || problem.status >= 500) return { heading: sentence, advice: [say("unsure")] };
  const stands = decision === "retry" && [409, 422].includes(problem.status) && problem.code !== "case_decided";
  return { heading: `${say("not_done")}. ${sentence}`, advice: [...details, ...(stands ? [say("still_stands")] : [])] };
}
