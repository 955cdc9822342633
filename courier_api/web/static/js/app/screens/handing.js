// What the screens of a handover to the post office share: what was chosen so far, and lists of what goes over.
import { make } from "../../dom.js";
import { say } from "../../told.js";
import { card, money } from "../parts.js";
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

export function vouchersCard(total, rows) {
  return card(make("h2", {}, say("cash")), make("p", { class: "sum" }, money(total)), list(rows));
}

// Originals that procedures called back, by the dossier that they belong to; `ids` are those of the deliveries.
export function recalledCard(phone, ids) {
  if (!ids.length) return null;
  const own = new Map([...phone.queue, ...phone.done].map((one) => [one.id, one]));
  return card(make("h2", {}, say("recalled_taken")), list(ids.map((id) => rowOf(phone, own.get(id)))));
}

function rowOf(phone, operation) {
  if (!operation) return [say("recalled_taken"), null];
  const { fields, subject } = operation;
  const door = phone.stop(subject.stop)?.one.door;
  const names = new Map((door?.requirements.recalled ?? []).map(({ position, name }) => [position, name]));
  const papers = fields.recalled
    .filter(([, originals]) => originals > 0)
    .map(([position, originals]) => [names.get(position), counts({ originals, copies: 0 })].filter(Boolean).join(": "));
  return [fields.no, door?.job.contact_name, papers.join("; ")];
}
