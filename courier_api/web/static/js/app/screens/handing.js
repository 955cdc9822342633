// What the screens of a handover to the post office share: what was chosen so far, and lists of what goes over.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { card, money } from "../parts.js";
import { voucherNumber } from "./receipt.js";
import { counts } from "./stop.js";

const DRAFT = "office";

// {draft, keep, drop}; the draft is {bags: {number: 'list' | 'scan'}, clerk, counted, left}, kept with every change.
export async function openHanding(phone) {
  const draft = (await phone.draft(DRAFT)) ?? { bags: {}, clerk: null, counted: "", left: 0 };
  const keep = (change) => phone.keepDraft(DRAFT, Object.assign(draft, change, { at: Date.now() }));
  return { draft, keep, drop: () => phone.dropDraft(DRAFT) };
}

// Whose bag it is, as far as its round is still on the phone.
export const nameOf = (phone, item) => phone.doorOf(item)?.job.contact_name ?? "";

// Rows are [what, beside it, below it].
export function list(rows) {
  return make(
    "ul",
    { class: "papers" },
    ...rows.map(([what, beside, below]) =>
      make(
        "li",
        {},
        typeof what === "string" ? make("span", { class: "code" }, what) : what,
        beside && make("small", {}, beside),
        below && make("small", { class: "whole" }, below),
      ),
    ),
  );
}

// What cash was taken for, as both sides know it: the bag, the citizen, the sum, and the number of its slip.
export async function voucherRow(phone, id, number, amount) {
  const own = [...phone.queue, ...phone.done].find((one) => one.id === id);
  const name = own && phone.stop(own.subject.stop)?.one.stop.job.contact_name;
  const slip = await voucherNumber(id);
  return [
    number ?? slip,
    amount === undefined ? null : money(amount),
    [name, number && slip].filter(Boolean).join(" · "),
  ];
}

export function vouchersCard(total, rows) {
  return card(make("h2", {}, say("cash")), make("p", { class: "sum" }, money(total)), list(rows));
}

// Originals that procedures called back, by the dossier that they belong to; `ids` are those of the deliveries.
export function recalledCard(phone, ids) {
  if (!ids.length) return null;
  const own = new Map([...phone.queue, ...phone.done].map((one) => [one.id, one]));
  const listed = new Map((phone.originals ?? []).map((one) => [one.handover_id, one]));
  const rowOf = (id) => (own.has(id) ? takenRow(phone, own.get(id)) : listedRow(listed.get(id)));
  return card(make("h2", {}, say("recalled_taken")), list(ids.map(rowOf)));
}

// Of a day, or a phone, that is not this one, the server has told.
function listedRow(one) {
  if (!one) return [say("recalled_taken"), null];
  return [one.tracking_number, null, one.originals.map(({ name, originals }) => paper(name, originals)).join("; ")];
}

const paper = (name, originals) => [name, counts({ originals, copies: 0 })].filter(Boolean).join(": ");

function takenRow(phone, { fields, subject }) {
  const door = phone.stop(subject.stop)?.one.door;
  const names = new Map((door?.requirements.recalled ?? []).map(({ position, name }) => [position, name]));
  const papers = fields.recalled
    .filter(([, originals]) => originals > 0)
    .map(([position, originals]) => paper(names.get(position), originals));
  return [fields.no, door?.job.contact_name, papers.join("; ")];
}
