// A round as the server shows it, with all its doors, and where the phone keeps it.
import { inOne } from "../../device/store.js";
import { differences } from "./diff.js";

// {round, doors, at}. The doors are asked for last: what changes in between shows as a newer version in the feed.
export async function readRound(call, token, id) {
  const round = await call(`/couriers/rounds/${id}`, { token });
  const doors = await call(`/couriers/rounds/${id}/doors`, { token });
  return { round, doors, at: new Date().toISOString() };
}

// A plan that the courier has seen is not changed under his hands: a different one waits as `incoming:` until he has
// looked at it. What changes nothing that is still to be done, and a round that was withdrawn, is taken over at once.
// `more` is what else is written in the same transaction.
export function keepRounds(database, snapshots, more = async () => {}) {
  const { facts } = database;
  return inOne(database, [facts], async () => {
    for (const snapshot of snapshots) {
      const { id, state } = snapshot.round;
      const known = (await facts.get(`round:${id}`))?.value;
      const same = !known || state === "withdrawn" || differences(known, snapshot).length === 0;
      await facts.put({ key: `${same ? "round" : "incoming"}:${id}`, value: snapshot });
      if (same) await facts.delete(`incoming:${id}`);
    }
    await more(facts);
  });
}

// Rounds that are over: kept on the phone only as long as something that was done on them has not been sent. With them go
// the half-filled forms and the calls of doors that nobody will go to any more.
export function forgetRounds(database, fetched) {
  const { facts, queue, drafts } = database;
  return inOne(database, [facts, queue, drafts], async () => {
    const needed = new Set(fetched);
    await queue.each(({ subject }) => needed.add(subject?.round));
    const held = await facts.toArray();
    const over = held.filter(({ key }) => /^(round|incoming|seen):/.test(key) && !needed.has(key.split(":")[1]));
    await facts.bulkDelete(over.map(({ key }) => key));
    const doors = new Set(held.filter(({ key }) => key.startsWith("round:") && needed.has(key.split(":")[1])).flatMap(({ value }) => value.round.stops.map(({ id }) => id)));
    await facts.bulkDelete(held.map(({ key }) => key).filter((key) => key.startsWith("calls:") && !doors.has(key.split(":")[1])));
    await drafts.filter(({ stop }) => !doors.has(stop)).delete();
  });
}
