// How a device's record moves from event to event. Pure: each takes a record and gives the next, or throws.
//   counter, previous   the last event that was taken, and its digest
//   before              both as they were before it, as long as the server's last word leaves a doubt; else null
//   pending             a request that was signed and sent, of which we do not know yet whether it was taken; else null
//   fault               why the server takes nothing more from this key; else null
const FINISHED = [
  "key_revoked",
  "key_quarantined",
  "key_unknown",
  "key_of_another",
  "counter_gap",
  "counter_reused",
  "chain_broken",
];
export const FAULTS = [...FINISHED, "certificate_expired"];

export class Overtaken extends Error {} // another tab has signed meanwhile

export const isFinished = ({ fault }) => FINISHED.includes(fault);

export function pend(record, pending) {
  if (record.pending || record.counter + 1 !== pending.counter || record.kid !== pending.kid) throw new Overtaken();
  return { ...record, pending };
}

export function taken(record, pending) {
  if (record.pending?.eid !== pending.eid) return record;
  const before = { counter: record.counter, previous: record.previous };
  return { ...record, counter: pending.counter, previous: pending.digest, before, pending: null };
}

export function refused(record, pending, code) {
  if (record.pending?.eid !== pending.eid) return record;
  return { ...record, pending: null, fault: FAULTS.includes(code) ? code : record.fault };
}

// Someone else decided the same in the same moment: the server said yes and took his event, not ours.
export function steppedBack(record) {
  if (record.pending || !record.before) return null;
  return { ...record, ...record.before, before: null, fault: null };
}

// Put into the queue, an event counts at once: it will be sent, however long that takes.
export function queued(record, { kid, counter, digest }) {
  if (record.pending || record.counter + 1 !== counter || record.kid !== kid) throw new Overtaken();
  return { ...record, counter, previous: digest, before: null };
}

// Taken back before any of it was sent: the counter is free again. `first` is the earliest that is taken back.
export function unqueued(record, first) {
  if (!record || record.pending || record.kid !== first.kid || record.counter < first.counter) throw new Overtaken();
  return { ...record, counter: first.counter - 1, previous: first.previous, before: null };
}
