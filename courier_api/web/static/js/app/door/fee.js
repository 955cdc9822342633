// The money at a door: what is to be collected, with what it is paid, and what goes back.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { button, card, facts, field, grouped, money } from "../parts.js";

const NOTES = [50_000, 100_000, 200_000, 500_000];
const ROUND_SUMS = [100_000, 500_000];
const MOST_SHOWN = 3;

// What is still missing of what was said to be given; who says nothing was paid exactly.
export const owing = (fee, paid) => (paid !== null && paid < fee ? fee - paid : 0);

// With what a sum is likely paid: one note, or above the largest one the next round sums.
export function notesFor(fee) {
  const likely =
    fee < NOTES.at(-1)
      ? NOTES.filter((note) => note > fee)
      : ROUND_SUMS.map((step) => (Math.floor(fee / step) + 1) * step);
  return [...new Set(likely)].slice(0, MOST_SHOWN);
}

export function feeCard({ requirements: { fee }, amounts }, draft, keep, changed) {
  const change = make("output", { class: "sum" });
  const show = () => {
    change.textContent =
      draft.paid === null
        ? ""
        : draft.paid >= fee
          ? say("give_back", { money: money(draft.paid - fee) })
          : say("too_little", { money: money(fee - draft.paid) });
    for (const [sum, note] of notes) note.setAttribute("aria-pressed", String(sum === (draft.paid ?? fee)));
  };
  const pay = async (paid) => {
    const kept = keep({ paid });
    show();
    changed();
    await kept;
  };
  const own = field(say("paid_with"), {
    inputmode: "numeric",
    maxlength: 15,
    value: draft.paid ? grouped(draft.paid) : "",
    onInput: () => pay(regroup(own.input)),
  });
  const noted = (text, sum) => [
    sum,
    button(
      text,
      () => {
        own.input.value = grouped(sum);
        return pay(sum);
      },
      { kind: "note-button" },
    ),
  ];
  const notes = [noted(say("paid_exactly"), fee), ...notesFor(fee).map((note) => noted(money(note), note))];
  const parts = ["state_fee", "postage", "fee_transfer"]
    .filter((key) => amounts?.[key] > 0)
    .map((key) => [say(key), money(amounts[key])]);
  show();
  return card(
    make("h2", {}, say("to_collect")),
    make("p", { class: "sum" }, money(fee)),
    facts(parts),
    make("div", { class: "notes" }, ...notes.map(([, note]) => note)),
    own,
    change,
  );
}

// Sets thousands apart while it is typed, the caret staying behind its digit; gives the sum, null where there is none.
export function regroup(input) {
  const digits = (text) => text.replace(/\D/g, "");
  let behind = digits(input.value.slice(input.selectionStart)).length;
  const sum = Number(digits(input.value)) || null;
  input.value = sum === null ? "" : grouped(sum);
  let at = input.value.length;
  for (; behind > 0 && at > 0; at -= 1) if (/\d/.test(input.value[at - 1])) behind -= 1;
  input.setSelectionRange(at, at);
  return sum;
}
