// A round as the server shows it, with all its doors, and where the phone keeps it.
import { inOne } from "../../device/store.js";
import { NetFault } from "../outbox/net.js";
import { alongLine } from "../map/along.js";
import { differences } from "./diff.js";

const TRIES = 3;

// {round, doors, ways, at}; `ways` are the metres to each stop from the one before it, to the first from the office: much
// to reckon for a cheap phone, so once. The doors are asked for last: what changes in between shows as a newer version in
// the feed. A stop that was moved away in between has no door, and the round is read again.
export async function readRound(call, token, id) {
  for (let tries = TRIES; tries > 0; tries -= 1) {
    const round = await call(`/couriers/rounds/${id}`, { token });
    const doors = await call(`/couriers/rounds/${id}/doors`, { token });
    const there = new Set(doors.map((door) => door.id));
    if (round.stops.every((stop) => there.has(stop.id)))
      return { round, doors, ways: waysOf(round), at: new Date().toISOString() };
  }
  throw new NetFault(0, "round_changes"); // the next look finds it at rest
}

function waysOf({ line, office, stops }) {
  const inOrder = [...stops].sort((a, b) => a.position - b.position);
  const metres = alongLine(line, [office.point, ...inOrder.map(({ job }) => job.point)]);
  return Object.fromEntries(inOrder.map(({ id }, n) => [id, metres[n]]));
}

// A plan that the courier has seen is not changed under his hands: a different one waits as `incoming:` until he has
// looked at it. What changes nothing that is still to be done, and a round that was withdrawn, is taken over at once;
// and whose hands a bag is in is no plan. An answer that others have overtaken is of no use.
// `more` is what else is written in the same transaction.
export function keepRounds(database, holder, snapshots, more = async () => {}) {
  const { facts } = database;
  return inOne(database, [facts], async () => {
    await mustBe(facts, holder);
    for (const snapshot of snapshots) {
      const { id, state } = snapshot.round;
      const known = (await facts.get(`round:${id}`))?.value;
      const incoming = (await facts.get(`incoming:${id}`))?.value;
      if ([known, incoming].some((one) => one && isNewer(one, snapshot))) continue;
      const same = !known || state === "withdrawn" || differences(known, snapshot).length === 0;
      await facts.put({ key: `${same ? "round" : "incoming"}:${id}`, value: snapshot });
      if (same) await facts.delete(`incoming:${id}`);
      else await facts.put({ key: `round:${id}`, value: withCustody(known, snapshot) });
    }
    await more(facts);
  });
}

const isNewer = (one, other) =>
  one.round.version > other.round.version || (one.round.version === other.round.version && one.at > other.at);

// The doors as they were, with the bags where they are now.
export function withCustody(known, { doors }) {
  const now = new Map(doors.map((door) => [door.id, door]));
  return {
    ...known,
    doors: known.doors.map((door) => {
      const { custody, lines } = now.get(door.id) ?? door;
      return { ...door, custody, lines };
    }),
  };
}

const HANDING_MS = 16 * 3600 * 1000; // what was chosen for the office and not handed in is of no use on another day

// Rounds that are over: kept on the phone only as long as something that was done on them has not been sent. With them go
// the half-filled forms and the calls of doors that nobody will go to any more, and of corrections to what is forgotten.
export function forgetRounds(database, fetched, now = Date.now()) {
  const { facts, queue, done, drafts } = database;
  return inOne(database, [facts, queue, done, drafts], async () => {
    const needed = new Set(fetched);
    await queue.each(({ subject }) => needed.add(subject?.round));
    const held = await facts.toArray();
    const over = held.filter(({ key }) => /^(round|incoming|seen):/.test(key) && !needed.has(key.split(":")[1]));
    await facts.bulkDelete(over.map(({ key }) => key));
    const doors = new Set(
      held
        .filter(({ key }) => key.startsWith("round:") && needed.has(key.split(":")[1]))
        .flatMap(({ value }) => value.round.stops.map(({ id }) => id)),
    );
    await facts.bulkDelete(
      held.map(({ key }) => key).filter((key) => key.startsWith("calls:") && !doors.has(key.split(":")[1])),
    );
    const known = new Set([...(await queue.orderBy("id").keys()), ...(await done.toCollection().primaryKeys())]);
    const isNeeded = ({ stop: name, value }) => {
      if (name === "office") return now - value.at < HANDING_MS;
      return doors.has(name) || (name.startsWith("remark:") && known.has(name.slice("remark:".length)));
    };
    await drafts.filter((draft) => !isNeeded(draft)).delete();
  });
}

// A slow answer for one courier is not written among what is another's by now.
export async function mustBe(facts, { person }) {
  if ((await facts.get("session"))?.value.person_id !== person) throw new AnotherCourier();
}

export class AnotherCourier extends Error {}

// A plan without a door at which something was done already keeps that door as it was: papers may have changed hands there.
export function withTouched(before, after, operations) {
  if (!before) return after;
  const touched = new Set(operations.map(({ subject }) => subject?.stop));
  const there = new Set(after.round.stops.map(({ id }) => id));
  const lost = before.round.stops.filter(({ id }) => touched.has(id) && !there.has(id));
  if (!lost.length) return after;
  const ids = new Set(lost.map(({ id }) => id));
  return {
    ...after,
    round: { ...after.round, stops: [...after.round.stops, ...lost] },
    doors: [...after.doors, ...before.doors.filter(({ id }) => ids.has(id))],
  };
}
