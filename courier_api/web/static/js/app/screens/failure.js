// Nothing changed hands, and why: a reason, then a photo that ends it. Calling is the app's own call.
import { make } from "../../dom.js";
import { time } from "../../format.js";
import { dayInWords, halfDays } from "./when.js";
import { say } from "../../told.js";
import * as operations from "../operations.js";
import { button, card, choices, field, icon, notice, tell } from "../parts.js";
import { isOpen } from "../phone.js";
import { here } from "../place.js";
import { go, next, replace } from "../router.js";
import { tooLate } from "./taking-back.js";
import { missingOf, openForm } from "../door/form.js";
import { viewfinder } from "../door/viewfinder.js";

const REASONS = [
  "not_home",
  "missing_document",
  "receiver_not_authorized",
  "postponed",
  "wrong_address",
  "wrong_phone",
  "identity_not_shown",
  "refused",
  "road_closed",
  "unsafe",
  "vehicle_broken",
  "out_of_time",
];
const ONLY_AT = { missing_document: "pickup", receiver_not_authorized: "delivery" };
const AWAY = ["road_closed", "unsafe", "postponed", "vehicle_broken", "out_of_time"]; // can be known before the door is reached
const CALLED_FIRST = ["not_home", "wrong_phone", "wrong_address"];
const ENDS = ["refused"]; // nobody need come again

export const reasonScreen = (phone) => async (id) => {
  const form = await openForm(phone, id);
  if (!form || !isOpen(form.one.state)) return replace(`#/stop/${id}`);
  const there = form.one.state === "arrived";
  const list = make("ul", { class: "reasons" });
  for (const reason of REASONS) {
    if ((ONLY_AT[reason] ?? form.door.job.kind) !== form.door.job.kind) continue;
    if (!there && !AWAY.includes(reason)) continue;
    list.append(
      make("li", {}, make("a", { href: `#/stop/${id}/failure/${reason}` }, make("span", {}, say(`reason_${reason}`)))),
    );
  }
  return {
    title: say("cannot"),
    back: `#/stop/${id}`,
    body: [there ? null : notice("info", say("not_there_yet"), say("not_there_yet_text")), list],
  };
};

export const failureScreen = (phone) => async (id, reason) => {
  const form = await openForm(phone, id);
  if (!form || !isOpen(form.one.state)) return replace(`#/stop/${id}`);
  const { door, draft, keep } = form;
  const said = { reason, next: ENDS.includes(reason) ? "give_up" : "try_again", note: draft.note ?? "", wished: null };
  const there = form.one.state === "arrived";
  let saving = false; // by the shutter or without a photo, once
  const save = async (photo) => {
    if (saving) return;
    saving = true;
    try {
      await signed(photo);
    } finally {
      saving = false;
    }
  };
  const signed = async (photo) => {
    if (reason === "missing_document" && !missingOf(door, draft).length) {
      tell(say("nothing_missing"));
      return;
    }
    tell(say("finding_place"), { seconds: 30 });
    const operation = await phone.enqueue(
      operations.failure(door, {
        ...said,
        missing: reason === "missing_document" ? missingOf(door, draft) : null,
        called: phone.calls(id).map((iso) => new Date(iso).toISOString()),
        place: await here(phone),
        photo,
      }),
    );
    await phone.dropDraft(id);
    await replace(reason === "missing_document" ? `#/slip/${operation.id}` : "#/");
    tell(say("failure_noted"), {
      action: say("undo"),
      seconds: 9,
      act: async () => {
        if (await phone.undo(operation.id)) {
          await phone.keepDraft(id, draft);
          go(`#/stop/${id}`);
        } else tooLate(operation.id);
      },
    });
  };
  const finder = viewfinder({ label: say("failure_photo"), shutterText: say("photo_and_save"), onPhoto: save });
  const note = field(say("note"), {
    value: said.note,
    area: true,
    rows: 2,
    maxlength: 300,
    onInput: (text) => {
      said.note = text;
      return keep({ note: text });
    },
  });
  return {
    title: say(`reason_${reason}`),
    back: `#/stop/${id}/failure`,
    arrive: () => there && finder.start(),
    leave: () => finder.stop(),
    body: [
      CALLED_FIRST.includes(reason) ? calls(phone, door) : null,
      reason === "missing_document" ? missing(door, draft) : null,
      there ? finder.element : null,
      reason === "postponed" ? whenThen(said, phone) : null,
      choices(
        say("what_next"),
        "next",
        ["try_again", "give_up"].map((code) => [code, say(`next_${code}`)]),
        said.next,
        (value) => {
          said.next = value;
        },
      ),
      note,
    ],
    action: there
      ? [finder.shutter, button(say("save_without_photo"), () => save(null), { kind: "second-action" })]
      : next(say("save"), () => save(null), { symbol: "tick" }),
  };
};

// The half-day that was agreed on: the next plan keeps to it.
function whenThen(said, phone) {
  const days = halfDays(Date.now() + phone.skew);
  return choices(
    say("when_then"),
    "wished",
    [
      ...days.map(({ value, day, half }) => [value, say(`wished_${half}`, { day: dayInWords(day) })]),
      ["", say("wished_open")],
    ],
    said.wished ?? "",
    (value) => {
      said.wished = value || null;
    },
  );
}

function calls(phone, { id, job }) {
  const made = phone.calls(id);
  const again = make(
    "a",
    { class: "reach", href: `tel:${job.contact_phone}` },
    icon("phone"),
    make("span", {}, say(made.length ? "call_again" : "call_first")),
  );
  again.addEventListener("click", () => phone.called(id));
  const line = made.length ? say("called", { n: made.length, time: time(made.at(-1)) }) : say("not_called");
  return card(make("p", {}, line), again);
}

function missing(door, draft) {
  const names = new Map((door.checklist ?? door.documents).map(({ position, name }) => [position, name]));
  const lines = missingOf(door, draft);
  if (!lines.length) return notice("warn", say("nothing_missing"), say("nothing_missing_text"));
  return card(
    make("h2", {}, say("missing_heading")),
    make("ul", { class: "papers" }, ...lines.map(([position]) => make("li", {}, names.get(position)))),
    make("p", { class: "soft" }, say("missing_text")),
  );
}

// What is left with the citizen when a paper is missing; printed at the office, read from the phone meanwhile.
export const slipScreen = (phone) => async (operationId) => {
  const operation = [...phone.queue, ...phone.done].find(({ id }) => id === operationId);
  const found = operation && phone.stop(operation.subject.stop);
  if (!found) return replace("#/");
  const { door } = found.one;
  const { missing: lines } = operation.fields;
  const asked = new Map((door.checklist ?? []).map((line) => [line.position, line]));
  const row = ([position, originals, copies]) => {
    const line = asked.get(position);
    const wants = [Math.max(0, line.originals - originals), Math.max(0, line.copies - copies)];
    return make(
      "li",
      {},
      make("strong", {}, line.name),
      make(
        "small",
        {},
        [wants[0] ? say("n_originals", { n: wants[0] }) : null, wants[1] ? say("n_copies", { n: wants[1] }) : null]
          .filter(Boolean)
          .join(", "),
      ),
    );
  };
  return {
    title: say("slip_title"),
    back: "#/",
    body: [
      make("p", { class: "lead" }, say("slip_lead", { name: door.job.contact_name })),
      card(make("h2", {}, door.procedure), make("ul", { class: "papers" }, ...lines.map(row))),
      notice("info", say("slip_kept"), say("slip_text")),
    ],
    action: next(say("to_round"), () => go("#/")),
  };
};
