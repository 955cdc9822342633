// What goes to the post office, and what went there: one entry for each signature of a clerk. Pure.
import { trackingNumber } from "../camera/cards.js";
import { inTime } from "./fold.js";

export const isToOffice = ({ typ, fields }) => typ === "custody.handover" && fields.to.r === "office";

// [{id, at, by, bags, settlement}], the newest first: operations that one clerk signed for together; `id` is the first's.
export function handedIn(operations) {
  const groups = new Map();
  for (const operation of inTime(operations)) {
    const { id, at, typ, fields, subject } = operation;
    const settles = typ === "courier.settlement";
    if (!settles && !isToOffice(operation)) continue;
    const key = subject?.together ?? id;
    const group = groups.get(key) ?? { id, at, by: fields.by, bags: [], settlement: null };
    groups.set(key, settles ? { ...group, settlement: operation } : { ...group, bags: [...group.bags, operation] });
  }
  return [...groups.values()].reverse();
}

// What a scanned code is among the bags that are looked for: {kind: 'found' | 'again' | 'foreign' | 'none', number}.
export function bagIn(text, wanted, found) {
  const number = trackingNumber(text);
  if (!number) return { kind: "none", number };
  if (!wanted.includes(number)) return { kind: "foreign", number };
  return { kind: found.includes(number) ? "again" : "found", number };
}
