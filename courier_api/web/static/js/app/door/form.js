// The half-filled form of a door: kept on the phone with each change, so that a dead battery costs nothing.
import * as operations from "../operations.js";
import { lastPlace } from "../place.js";

// What a signature stands for.
const SIGNED = [
  "lines",
  "extra",
  "recalled",
  "seal",
  "receiver",
  "receiverName",
  "authorization",
  "identity",
  "relationship",
  "signer",
];

// The draft of a stop with what it is about; null when there is no such stop any more.
export async function openForm(phone, id) {
  const found = phone.stop(id);
  if (!found) return null;
  const { round, one } = found;
  const custody = inHand(one);
  const door = { ...one.door, round: round.id, custody };
  const draft = (await phone.draft(id)) ?? fresh(door);
  const keep = (change) => phone.keepDraft(id, Object.assign(draft, amended(door, draft, change)));
  return { ...found, id, door, draft, keep, custody };
}

// A bag that is brought to its door was given out at the post office, also when nobody has told this phone yet: that was
// one leg more.
function inHand({ stop, custody }) {
  const isUntold = stop.job.kind === "delivery" && custody.holder.role === "office";
  return isUntold ? { ...custody, leg: custody.leg + 1 } : custody;
}

// `documents` are the papers that were announced, an optional one only if it was: what is there is expected to be given.
function fresh(door) {
  const pickup = door.job.kind === "pickup";
  const lines = (pickup ? door.documents : door.lines).map(({ position, originals, copies }) => ({
    position,
    originals,
    copies,
  }));
  return {
    identity: null,
    card: null,
    lines,
    extra: [],
    paid: null,
    seal: "",
    photo: null,
    strokes: null,
    signAgain: false,
    signer: door.job.contact_name,
    relationship: "self",
    receiver: "self",
    receiverName: "",
    authorization: "",
    recalled: [],
  };
}

// A change with what follows from it: nobody has signed for what he did not see, so that the signature goes with what was
// signed; and a receiver who needs no authorisation leaves none behind, nor its photo.
export function amended(door, draft, change) {
  const all = { ...change };
  if ("receiver" in change && !needsPaper(door, change.receiver))
    Object.assign(all, { authorization: "", photo: null });
  const same = SIGNED.every((part) => !(part in all) || JSON.stringify(all[part]) === JSON.stringify(draft[part]));
  return same ? all : { ...all, strokes: null, signAgain: draft.signAgain || Boolean(draft.strokes) };
}

// Whether someone may receive only with a written authorisation.
export function needsPaper({ authorization: rule }, receiver) {
  return receiver === "authorized" || (receiver === "family" && rule !== "family_exempt");
}

// Papers that the checklist wants and the citizen has not: [position, originals, copies] as they were shown.
export function missingOf({ checklist = [], documents }, draft) {
  const there = new Map(draft.lines.map((line) => [line.position, line]));
  const known = new Map(documents.map((line) => [line.position, line]));
  return checklist
    .filter(({ position, mandatory, originals, copies }) => {
      const line = there.get(position);
      return mandatory && known.has(position) && (!line || line.originals < originals || line.copies < copies);
    })
    .map(({ position }) => {
      const { originals = 0, copies = 0 } = there.get(position) ?? {};
      return [position, originals, copies];
    });
}

export const isNothing = ({ lines, extra }) =>
  [...lines, ...extra].every(({ originals, copies }) => originals + copies === 0);

// Signs what was done at the door and forgets the draft; gives the operation.
export async function finishDoor(phone, form, write) {
  const { door, draft, custody, id } = form;
  const third = door.job.kind === "delivery" && draft.receiver !== "self";
  const said = operations.handover(door, custody, phone.me, {
    lines: draft.lines,
    extra: draft.extra,
    recalled: answered(door, draft),
    identity: draft.identity,
    receiver: draft.receiver,
    receiverName: third ? draft.receiverName : null,
    authorization: third && draft.authorization ? draft.authorization : null,
    fee: door.requirements.fee,
    seal: draft.seal || null,
    place: lastPlace(phone),
    signatures: [{ relationship: draft.relationship, signer_name: draft.signer, strokes: draft.strokes }],
    photo: draft.photo,
    write,
  });
  const operation = await phone.enqueue(said);
  await phone.dropDraft(id);
  return operation;
}

// Of each original that the procedure calls back: taken, or not there where it need not be.
function answered({ requirements: { recalled = [] } }, draft) {
  const taken = new Set(draft.recalled.map(({ position }) => position));
  return recalled.map(({ position, originals }) => ({ position, originals: taken.has(position) ? originals : 0 }));
}
