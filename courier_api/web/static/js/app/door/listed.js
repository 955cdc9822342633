// The papers that change hands, by name and with their counts: above the signature, and on the receipt.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { papersOf } from "../operations.js";
import { counts } from "../screens/stop.js";

// `given` is {lines, extra, recalled}, of a form or of what stands beside an operation; papers of which there are none are not named.
export function listed(door, { lines, extra, recalled }) {
  const papers = papersOf(door, { lines, extra: extra ?? [] }).filter(
    ([, , originals, copies]) => originals + copies > 0,
  );
  const names = new Map((door.requirements.recalled ?? []).map(({ position, name }) => [position, name]));
  const back = (recalled ?? [])
    .filter(({ originals }) => originals > 0)
    .map(({ position, originals }) => [names.get(position) ?? "", originals, 0]);
  return [
    papers.length ? make("h2", {}, say("papers")) : null,
    papers.length ? list(papers.map(([, name, originals, copies, reason]) => [name, originals, copies, reason])) : null,
    back.length ? make("h2", {}, say("recalled_taken")) : null,
    back.length ? list(back) : null,
  ];
}

function list(rows) {
  return make(
    "ul",
    { class: "papers" },
    ...rows.map(([name, originals, copies, reason]) =>
      make(
        "li",
        {},
        make("span", {}, name),
        make("small", {}, counts({ originals, copies })),
        reason ? make("small", { class: "whole soft" }, say(`extra_${reason}`)) : null,
      ),
    ),
  );
}
