// The papers, counted by both, and the money: what is missing stands in the way.
import { make } from "../../../dom.js";
import { say } from "../../../told.js";
import { trackingNumber } from "../../camera/cards.js";
import { ask, button, card, money, notice, stepper, tell, tick } from "../../parts.js";
import { go, next, render } from "../../router.js";
import { counts } from "../../screens/stop.js";
import { extraPapers } from "../extra.js";
import { feeCard, owing } from "../fee.js";
import { missingOf } from "../form.js";
import { scan } from "../viewfinder.js";
import { wrongCode } from "../wrong-code.js";

export function papersStep(form, onward) {
  const { door, draft, keep } = form;
  const pickup = door.job.kind === "pickup";
  const asked = new Map((door.checklist ?? []).map((line) => [line.position, line]));
  const { fee } = door.requirements;
  let act = onward;
  const foot = next("", () => act());
  const show = () => {
    const way = obstacle(door, draft) ?? { word: free(pickup, fee), act: onward };
    foot.querySelector("span").textContent = way.word;
    foot.classList.toggle("bad", Boolean(way.bad));
    ({ act } = way);
  };
  const rows = (pickup ? door.documents : door.lines).map((line) =>
    paperRow(line, asked.get(line.position) ?? line, draft, keep, pickup, show),
  );
  const extra = pickup ? extraPapers(draft, keep) : null;
  show();
  return {
    title: say(pickup ? "step_papers" : "step_give"),
    body: [
      pickup ? null : bagCheck(form),
      card(make("h2", {}, say(pickup ? "count_papers" : "count_given")), ...rows, ...(extra?.rows ?? [])),
      pickup ? extra.add : recalledCard(door, draft, keep, show),
      fee ? feeCard(door, draft, keep, show) : null,
    ],
    action: foot,
  };
}

// What stands in the way, the worst first: its word, and what pressing it does; null where the way is free.
function obstacle(door, draft) {
  const pickup = door.job.kind === "pickup";
  const short = pickup ? missingOf(door, draft) : differing(door, draft);
  if (short.length && pickup)
    return { bad: true, word: say("papers_missing"), act: () => go(`#/stop/${door.id}/failure/missing_document`) };
  if (short.length)
    return {
      bad: true,
      word: say("papers_differ"),
      act: () => ask(say("papers_differ"), say("papers_differ_text"), [[true, say("understood")]]),
    };
  const { fee, recalled = [] } = door.requirements;
  const isThere = ({ position }) => draft.recalled.some((one) => one.position === position);
  if (recalled.some((line) => line.mandatory && !isThere(line)))
    return { word: say("recalled_first"), act: () => tell(say("recalled_first_text")) };
  const missing = owing(fee, draft.paid);
  if (missing)
    return {
      bad: true,
      word: say("too_little", { money: money(missing) }),
      act: () => tell(say("too_little_text", { money: money(fee) })),
    };
  return null;
}

function free(pickup, fee) {
  if (fee) return say(pickup ? "all_there_paid" : "all_given_paid", { money: money(fee) });
  return say(pickup ? "all_there" : "all_given");
}

function differing({ lines }, draft) {
  return lines.filter(({ position, originals, copies }) => {
    const line = draft.lines.find((one) => one.position === position);
    return line.originals !== originals || line.copies !== copies;
  });
}

// What need not be there was announced all the same, or it would not be asked after.
const optional = (line) =>
  line.originals + line.copies > 0 ? say("optional_announced", { counts: counts(line) }) : say("optional");

function paperRow(line, asks, draft, keep, pickup, changed) {
  const held = () => draft.lines.find(({ position }) => position === line.position);
  const change = (part) => async (value) => {
    const kept = keep({
      lines: draft.lines.map((one) => (one.position === line.position ? { ...one, [part]: value } : one)),
    });
    changed();
    await kept;
  };
  const wants = asks.mandatory === false ? optional(line) : say("wants", { counts: counts(asks) });
  const steppers = ["originals", "copies"]
    .filter((part) => asks[part] > 0 || held()[part] > 0 || pickup)
    .map((part) => stepper(say(part), held()[part], { onChange: change(part) }));
  return make(
    "fieldset",
    { class: "paper" },
    make("legend", {}, line.name),
    make("small", { class: "soft" }, pickup ? wants : say("in_bag", { counts: counts(line) })),
    ...steppers,
  );
}

function recalledCard(door, draft, keep, changed) {
  const recalled = door.requirements.recalled ?? [];
  if (!recalled.length) return null;
  const box = ({ position, name, originals, mandatory }) => {
    const others = () => draft.recalled.filter((one) => one.position !== position);
    return tick(
      make("strong", {}, name),
      [say("n_originals", { n: originals }), mandatory ? null : say("optional")].filter(Boolean).join(" · "),
      draft.recalled.some((one) => one.position === position),
      {
        onChange: async (taken) => {
          const all = taken ? [...others(), { position, originals }] : others();
          await keep({ recalled: all.sort((one, other) => one.position - other.position) });
          changed();
        },
      },
    );
  };
  return card(
    make("h2", {}, say("recalled_heading")),
    make("p", { class: "soft" }, say("recalled_text")),
    ...recalled.map(box),
  );
}

function bagCheck({ door, phone, draft, keep }) {
  if (draft.bag === "right") return notice("good", say("bag_right"), door.job.tracking_number);
  return button(
    say("scan_bag"),
    async () => {
      const text = await scan(say("scan_bag"), say("scan_bag_hint", { number: door.job.tracking_number }));
      if (text === null) return;
      if (trackingNumber(text) === door.job.tracking_number) {
        await keep({ bag: "right" });
        await render();
      } else await wrongCode(text, door, phone);
    },
    { kind: "second-action", symbol: "scan" },
  );
}
