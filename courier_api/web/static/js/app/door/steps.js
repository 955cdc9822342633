// The steps of a door, one screen each: who it is, the papers and the money, the seal, the signature.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { readCard, sameName, trackingNumber } from "../camera/cards.js";
import { ask, button, card, choices, facts, field, markWrong, money, notice, quiet, stepper, tell } from "../parts.js";
import { go, next, render } from "../router.js";
import { counts } from "../screens/stop.js";
import { missingOf } from "./form.js";
import { isSigned, signaturePad } from "./signature.js";
import { picture, scan, viewfinder } from "./viewfinder.js";

const NOTES = [50_000, 100_000, 200_000, 500_000];

// --- who -------------------------------------------------------------------------------------------------------------

export function identityStep({ door, draft, keep }, onward) {
  const seen = async (identity, card_ = null) => { await keep({ identity, card: card_ }); onward(); };
  const expected = draft.receiver === "self" ? door.job.contact_name : draft.receiverName;
  return {
    title: say("step_identity"),
    body: [
      card(make("p", { class: "over" }, say("card_must_say")), make("p", { class: "who" }, expected || "…")),
      draft.card && !draft.card.same ? otherName(draft.card.name, expected) : null,
      button(say("scan_card"), () => scanCard(expected, seen, keep), { kind: "second-action", symbol: "scan" }),
      make("p", { class: "soft" }, say("card_kept")),
      make("p", { class: "links" },
        button(say("known_person"), () => seen("known_person"), { kind: "plain" }),
        button(say("no_card"), () => go(`#/stop/${door.id}/failure/identity_not_shown`), { kind: "plain" })),
    ],
    action: next(say("card_seen"), () => seen("card_seen"), { symbol: "tick" }),
  };
}

// Of the card nothing stays but that it was read, and whose name it bears where that is another's than expected.
async function scanCard(expected, seen, keep) {
  const text = await scan(say("scan_card"), say("scan_card_hint"));
  if (text === null) return;
  const read = readCard(text);
  if (!read) { tell(say("no_card_code")); return; }
  if (!expected || sameName(read.name, expected)) { await seen("card_scanned", { same: true }); return; }
  await keep({ card: { same: false, name: read.name } });
  await render();
}

function otherName(name, expected) {
  return notice("bad", say("other_name"), say("other_name_text", { name, expected }));
}

// --- who receives ----------------------------------------------------------------------------------------------------

export function receiverStep({ door, draft, keep }, onward) {
  const rule = door.authorization;
  const allowed = rule === "forbidden" ? ["self"] : ["self", "family", "authorized"];
  const needsPaper = () => draft.receiver === "authorized" || (draft.receiver === "family" && rule !== "family_exempt");
  const name = field(say("receiver_name"), { value: draft.receiverName, maxlength: 120, autocapitalize: "words", onInput: (receiverName) => keep({ receiverName }) });
  const paper = field(say("authorization_reference"), { hint: say("authorization_hint"), value: draft.authorization, maxlength: 120, onInput: (authorization) => keep({ authorization }) });
  const photo = card(make("h2", {}, say("authorization_photo")));
  const finder = viewfinder({ label: say("authorization_photo"), shutterText: say("take_photo"), onPhoto: async (bytes) => { await keep({ photo: bytes }); showPhoto(); } });
  const third = make("div", {}, name, make("div", {}, paper, photo));
  const showPhoto = () => photo.replaceChildren(make("h2", {}, say("authorization_photo")), ...(draft.photo
    ? [picture(draft.photo, say("authorization_photo")), button(say("photo_again"), async () => { await keep({ photo: null }); showPhoto(); finder.start(); }, { kind: "plain" })]
    : [finder.element, finder.shutter]));
  const show = () => {
    third.hidden = draft.receiver === "self";
    third.lastChild.hidden = !needsPaper();
    if (needsPaper() && !draft.photo) finder.start();
  };
  showPhoto();
  show();
  return {
    title: say("step_receiver"),
    leave: () => finder.stop(),
    body: [
      rule === "forbidden" ? notice("info", say("only_in_person"), say("only_in_person_text")) : null,
      choices(say("who_receives"), "receiver", allowed.map((code) => [code, say(`receiver_${code}`), receiverHint(code, rule, door)]), draft.receiver, async (receiver) => { await keep({ receiver, signer: receiver === "self" ? door.job.contact_name : draft.receiverName }); show(); }),
      third,
      button(say("nobody_may"), () => go(`#/stop/${door.id}/failure/receiver_not_authorized`), { kind: "plain" }),
    ],
    action: next(say("go_on"), async () => {
      const missingName = draft.receiver !== "self" && !draft.receiverName;
      const missingPaper = needsPaper() && !draft.authorization;
      markWrong(name, missingName ? say("receiver_name_missing") : null);
      markWrong(paper, missingPaper ? say("authorization_missing") : null);
      if (missingName || missingPaper) return;
      if (needsPaper() && !draft.photo) { tell(say("authorization_photo_missing")); return; }
      await keep({ signer: draft.receiver === "self" ? door.job.contact_name : draft.receiverName, relationship: draft.receiver });
      onward();
    }),
  };
}

const receiverHint = (code, rule, door) => (code === "self" ? door.job.contact_name : code === "family" && rule === "family_exempt" ? say("family_exempt") : say("written_needed"));

// --- papers and money ------------------------------------------------------------------------------------------------

export function papersStep(form, onward) {
  const { door, draft, keep } = form;
  const pickup = door.job.kind === "pickup";
  const asked = new Map((door.checklist ?? []).map((line) => [line.position, line]));
  const foot = next("", () => {});
  const wanted = pickup ? door.documents : door.lines;
  const rows = wanted.map((line) => paperRow(line, asked.get(line.position) ?? line, draft, keep, pickup, () => show()));
  const fee = door.requirements.fee;
  const show = () => {
    const short = pickup ? missingOf(door, draft) : differing(door, draft);
    const recalled = (door.requirements.recalled ?? []).filter(({ position, mandatory }) => mandatory && !draft.recalled.some((one) => one.position === position));
    foot.querySelector("span").textContent = short.length ? say(pickup ? "papers_missing" : "papers_differ")
      : recalled.length ? say("recalled_first") : fee ? say(pickup ? "all_there_paid" : "all_given_paid", { money: money(fee) }) : say(pickup ? "all_there" : "all_given");
    foot.classList.toggle("bad", short.length > 0);
    foot.onclick_ = short.length ? () => (pickup ? go(`#/stop/${door.id}/failure/missing_document`) : differ())
      : recalled.length ? () => tell(say("recalled_first_text")) : onward;
  };
  foot.addEventListener("click", () => foot.onclick_());
  show();
  return {
    title: say(pickup ? "step_papers" : "step_give"),
    body: [
      pickup ? null : bagCheck(form),
      card(make("h2", {}, say(pickup ? "count_papers" : "count_given")), ...rows, ...draft.extra.map((one, n) => extraRow(one, n, draft, keep))),
      pickup ? button(say("add_extra"), () => addExtra(draft, keep), { kind: "plain" }) : recalledCard(door, draft, keep, show),
      fee ? feeCard(door, draft, keep) : null,
    ],
    action: foot,
  };
}

function differing({ lines }, draft) {
  return lines.filter(({ position, originals, copies }) => {
    const line = draft.lines.find((one) => one.position === position);
    return line.originals !== originals || line.copies !== copies;
  });
}

const differ = () => ask(say("papers_differ"), say("papers_differ_text"), [[true, say("understood")]]);

function paperRow(line, asks, draft, keep, pickup, changed) {
  const held = draft.lines.find(({ position }) => position === line.position);
  const change = (part) => async (value) => { held[part] = value; changed(); await keep({}); };
  const wants = asks.mandatory === false ? say("optional") : say("wants", { counts: counts(asks) });
  const steppers = ["originals", "copies"].filter((part) => asks[part] > 0 || held[part] > 0 || pickup)
    .map((part) => stepper(say(part), held[part], { onChange: change(part) }));
  return make("fieldset", { class: "paper" }, make("legend", {}, line.name), make("small", { class: "soft" }, pickup ? wants : say("in_bag", { counts: counts(line) })), ...steppers);
}

function extraRow({ name, originals, copies, reason }, n, draft, keep) {
  return make("div", { class: "paper extra" }, make("strong", {}, name), make("small", {}, `${counts({ originals, copies })} · ${say(`extra_${reason}`)}`),
    button(say("take_out"), async () => { draft.extra.splice(n, 1); await keep({}); render(); }, { kind: "plain" }));
}

// A paper beyond the list: never asked for by us, and only with a reason.
async function addExtra(draft, keep) {
  const one = { name: "", originals: 0, copies: 1, reason: null };
  const name = field(say("extra_name"), { maxlength: 300, onInput: (value) => { one.name = value; } });
  const add = async () => {
    if (one.name && one.reason && one.originals + one.copies > 0) { draft.extra.push(one); await keep({}); }
    else tell(say("extra_reason_missing"));
  };
  await ask(say("add_extra"), [
    say("extra_rule"), name,
    stepper(say("originals"), 0, { onChange: (value) => { one.originals = value; } }), stepper(say("copies"), 1, { onChange: (value) => { one.copies = value; } }),
    choices(say("extra_why"), "extra", ["citizen_insists", "agency_letter"].map((code) => [code, say(`extra_${code}`)]), null, (reason) => { one.reason = reason; }),
  ], [[add, say("add")], [null, say("go_back"), "plain"]]);
  await render();
}

function recalledCard(door, draft, keep, changed) {
  const recalled = door.requirements.recalled ?? [];
  if (!recalled.length) return null;
  const box = ({ position, name, originals, mandatory }) => {
    const input = make("input", { type: "checkbox" });
    input.checked = draft.recalled.some((one) => one.position === position);
    input.addEventListener("change", async () => {
      const others = draft.recalled.filter((one) => one.position !== position);
      await keep({ recalled: input.checked ? [...others, { position, originals }].sort((a, b) => a.position - b.position) : others });
      changed();
    });
    return make("label", { class: "choice" }, input, make("span", {}, make("strong", {}, name), make("small", {}, [say("n_originals", { n: originals }), mandatory ? null : say("optional")].filter(Boolean).join(" · "))));
  };
  return card(make("h2", {}, say("recalled_heading")), make("p", { class: "soft" }, say("recalled_text")), ...recalled.map(box));
}

function bagCheck({ door, phone, draft, keep }) {
  if (draft.bag === "right") return notice("good", say("bag_right"), door.job.tracking_number);
  return button(say("scan_bag"), async () => {
    const text = await scan(say("scan_bag"), say("scan_bag_hint", { number: door.job.tracking_number }));
    if (text === null) return;
    if (trackingNumber(text) === door.job.tracking_number) { await keep({ bag: "right" }); await render(); }
    else await wrongCode(text, door, phone);
  }, { kind: "second-action", symbol: "scan" });
}

// A code of another item: what it is, and what to do.
export async function wrongCode(text, door, phone) {
  const number = trackingNumber(text);
  const other = number && phone.rounds.flatMap(({ stops }) => stops).find(({ stop }) => stop.job.tracking_number === number);
  const what = !number ? say("wrong_code_no_item") : other ? say("wrong_code_of", { number, n: other.stop.position, name: other.stop.job.contact_name }) : say("wrong_code_unknown", { number });
  await ask(say("wrong_code"), [notice("bad", what, say("wrong_code_text", { number: door.job.tracking_number }))], [[true, say("understood")]]);
}

function feeCard({ requirements: { fee }, amounts }, draft, keep) {
  const change = make("output", { class: "sum" });
  const show = () => { change.textContent = draft.paid === null ? "" : draft.paid >= fee ? say("give_back", { money: money(draft.paid - fee) }) : say("too_little", { money: money(fee - draft.paid) }); };
  const pay = async (paid) => { await keep({ paid }); show(); };
  show();
  const parts = ["state_fee", "postage", "fee_transfer"].filter((key) => amounts?.[key] > 0).map((key) => [say(key), money(amounts[key])]);
  const notes = NOTES.filter((note) => note >= fee).slice(0, 3);
  const own = field(say("paid_with"), { inputmode: "numeric", value: draft.paid ?? "", onInput: (text) => pay(Number(text.replace(/\D/g, "")) || null) });
  return card(make("h2", {}, say("to_collect")), make("p", { class: "sum" }, money(fee)), facts(parts),
    make("div", { class: "notes" }, ...notes.map((note) => button(money(note), () => { own.input.value = note; return pay(note); }, { kind: "note-button" }))), own, change);
}

// --- the seal --------------------------------------------------------------------------------------------------------

export function sealStep({ door, draft, keep, phone }, onward) {
  const seal = field(say("seal_number"), { hint: say("seal_hint"), value: draft.seal, maxlength: 40, autocapitalize: "characters", onInput: (text) => keep({ seal: text }) });
  const finder = viewfinder({
    label: say("step_seal"),
    shutterText: say("take_seal_photo"),
    onCode: async (text) => {
      const number = trackingNumber(text);
      if (number === door.job.tracking_number) { finder.say(say("own_number")); return; }
      if (number) { await wrongCode(text, door, phone); return; }
      if (!draft.seal && text.length <= 40) { seal.input.value = text; await keep({ seal: text }); finder.say(say("seal_read", { number: text })); }
    },
    onPhoto: async (bytes) => { await keep({ photo: bytes }); if (sealed()) onward(); else render(); },
  });
  const sealed = () => { markWrong(seal, draft.seal ? null : say("seal_missing")); return Boolean(draft.seal); };
  const done = Boolean(draft.photo);
  return {
    title: say("step_seal"),
    arrive: () => { if (!done) finder.start(); },
    leave: () => finder.stop(),
    body: [
      make("p", { class: "lead" }, say("seal_lead")),
      seal,
      done ? picture(draft.photo, say("sealed_bag")) : finder.element,
      done ? button(say("photo_again"), async () => { await keep({ photo: null }); render(); }, { kind: "plain" }) : null,
      done ? null : button(say("without_photo"), async () => { if (sealed()) { await keep({ photo: null }); onward(); } }, { kind: "plain" }),
    ],
    action: done ? next(say("go_on"), () => { if (sealed()) onward(); }) : finder.shutter,
  };
}

// --- the signature ---------------------------------------------------------------------------------------------------

export async function signStep({ door, draft, keep }, finish) {
  const pickup = door.job.kind === "pickup";
  const signer = field(say("signer"), { value: draft.signer, maxlength: 120, autocapitalize: "words", onInput: (text) => keep({ signer: text }) });
  const pad = await signaturePad({ label: say("pad_label"), strokes: draft.strokes, onChange: (strokes) => keep({ strokes }) });
  return {
    title: say("step_sign"),
    arrive: quiet,
    body: [summary(door, draft, pickup), make("p", { class: "declaration" }, say(pickup ? "signs_giving" : "signs_taking")), signer, pad.element],
    action: next(say("done"), async () => {
      markWrong(signer, draft.signer ? null : say("signer_missing"));
      if (!isSigned(draft.strokes)) { tell(say("signature_missing")); return; }
      if (draft.signer) await finish();
    }, { symbol: "tick" }),
  };
}

function summary({ requirements: { fee }, job }, draft, pickup) {
  const all = [...draft.lines, ...draft.extra].reduce((sum, { originals, copies }) => ({ originals: sum.originals + originals, copies: sum.copies + copies }), { originals: 0, copies: 0 });
  return card(facts([
    [say("number"), job.tracking_number],
    [say("papers"), counts(all)],
    [say("paid"), fee ? money(fee) : null],
    [say("seal_number"), pickup ? draft.seal : null],
    [say("who_receives"), pickup ? null : say(`receiver_${draft.receiver}`)],
    [say("recalled_heading"), draft.recalled.length ? say("n_originals", { n: draft.recalled.reduce((n, { originals }) => n + originals, 0) }) : null],
  ]));
}

