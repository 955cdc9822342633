// What the phone knows: who is signed in, the rounds of the day as they stand with its own operations, what waits.
import { guarded, inOne } from "../device/store.js";
import * as operations from "./operations.js";
import { withRoom } from "./room.js";
import { cash, fold, holding, recalled } from "./shift/fold.js";
import { differences } from "./shift/diff.js";
import { withTouched } from "./shift/snapshot.js";

export async function openPhone({ database, outbox, session }) {
  const phone = new Phone(database, outbox, session);
  await phone.load();
  return phone;
}

class Phone extends EventTarget {
  constructor(database, outbox, session) {
    super();
    Object.assign(this, {
      database,
      outbox,
      session,
      me: session.staff_code,
      rounds: [],
      incoming: [],
      place: null,
      duty: "off",
      half: false, // whether the page could not be loaded in full
    });
  }

  // Reads everything anew; screens are told. Asked for while it reads, it reads once more, however often it was asked.
  load() {
    this.ahead ??= (this.reading ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.ahead = null;
        this.reading = this.read();
        return this.reading;
      });
    return this.ahead;
  }

  async read() {
    const isMine = ({ person }) => person === this.session.person_id; // another courier's wait here too
    const mine = (table) => table.toArray().then((rows) => rows.filter(isMine));
    const [facts, queue, done] = await Promise.all([
      this.database.facts.toArray(),
      mine(this.database.queue),
      mine(this.database.done),
    ]);
    const fact = new Map(facts.map(({ key, value }) => [key, value]));
    const problems = await this.outbox.problems({ queue, done });
    Object.assign(this, {
      queue,
      done,
      problems,
      office: fact.get("office") ?? null,
      vouchers: fact.get("vouchers") ?? [],
      originals: fact.get("recalled") ?? null,
      listed: fact.get("vouchers_at") ?? 0,
      items: fact.get("items") ?? [],
      skew: fact.get("clock")?.skew_ms ?? 0,
      prepared: fact.get("prepared") ?? null,
      calls: (stop) => fact.get(`calls:${stop}`) ?? [],
      acknowledged: (round) => fact.get(`seen:${round}`) ?? 0,
    });
    const own = [...this.done, ...this.queue];
    const under = (prefix) => facts.filter(({ key }) => key.startsWith(prefix)).map(({ value }) => value);
    this.rounds = under("round:")
      .map((snapshot) => this.standing(snapshot, own))
      .sort((a, b) => (a.round.departs_at < b.round.departs_at ? -1 : 1));
    this.incoming = under("incoming:").map((after) => {
      const before = this.rounds.find(({ round }) => round.id === after.round.id);
      return { ...after, before, differences: before ? differences(before, after) : [] };
    });
    this.dispatchEvent(new Event("change"));
  }

  standing(snapshot, own) {
    const mine = own.filter(({ subject }) => subject?.round === snapshot.round.id);
    const has = (typ) =>
      mine.some((operation) => operation.typ === typ && !["parked", "rejected"].includes(operation.state));
    // He has left, whatever the server could do with it: it is not the phone that keeps him from working.
    const left = mine.some(({ typ, decision }) => typ === "courier.start" && decision !== "dismiss");
    const { state } = snapshot.round;
    const now =
      state === "withdrawn"
        ? state
        : state === "finished" || has("courier.finish")
          ? "finished"
          : state === "started" || left
            ? "started"
            : state;
    return { ...snapshot, state: now, stops: fold(snapshot, own) };
  }

  // The round that is ridden, else the next one to be.
  get current() {
    const living = this.rounds.filter(({ state }) => ["published", "started"].includes(state));
    return living.find(({ state }) => state === "started") ?? living[0] ?? this.rounds.at(-1) ?? null;
  }

  get onDuty() {
    return this.rounds.some(({ state }) => state === "started");
  }

  // Whether the server cannot know yet that a round is ridden.
  get isStarting() {
    return this.queue.some(({ typ }) => typ === "courier.start");
  }

  // {round, stops, one}: a stop with the round in which it stands.
  stop(id) {
    for (const day of this.rounds) {
      const one = day.stops.find(({ stop }) => stop.id === id);
      if (one) return { ...day, one };
    }
    return null;
  }

  // The door at which a bag was taken or is to be given, as far as its round is on the phone.
  doorOf(item) {
    return this.rounds.flatMap(({ stops }) => stops).find(({ custody }) => custody?.item_id === item)?.door ?? null;
  }

  bags() {
    return holding(
      this.rounds.flatMap(({ stops }) => stops),
      this.items,
      [...this.done, ...this.queue],
    );
  }

  // Bags whose door is done or given up: they are to be handed in at the post office.
  toHandIn() {
    const open = new Set(
      this.rounds
        .filter(({ state }) => state !== "withdrawn")
        .flatMap(({ stops }) => stops)
        .filter(({ state, stop }) => isOpen(state) && stop.job.kind === "delivery")
        .map(({ custody }) => custody.item_id),
    );
    return this.bags().filter(({ custody }) => !open.has(custody.item_id));
  }

  cash() {
    return cash(
      this.rounds.flatMap(({ stops }) => stops),
      this.vouchers,
      [...this.done, ...this.queue],
      this.listed,
    );
  }

  // Deliveries whose recalled originals are still with the courier.
  recalled() {
    return recalled(this.originals, [...this.done, ...this.queue], this.listed);
  }

  async keep(key, value) {
    await withRoom(() => guarded(() => this.database.facts.put({ key, value })));
  }

  async called(stop) {
    await this.keep(`calls:${stop}`, [...this.calls(stop), new Date().toISOString()]);
    await this.load();
  }

  async enqueue(said) {
    const [operation] = await this.enqueueAll([said]);
    return operation;
  }

  // What belongs together is kept together, or not at all.
  async enqueueAll(saids) {
    const made = await this.outbox.enqueueAll(saids);
    await this.load().catch(console.warn); // it is written: who heard of a fault would do it again
    return made;
  }

  async undo(id) {
    const back = await this.outbox.undo(id);
    await this.load();
    return back;
  }

  // The courier has read what changed: from now on the new plan is the plan, and the dispatcher sees that. What has changed
  // again meanwhile waits beside it as before; doors at which something was done stay, whatever the plan says.
  async acknowledge({ round, doors, ways, at, before }) {
    const { database } = this;
    const { facts } = database;
    const operation = await this.enqueue(operations.seen(round));
    const kept = withTouched(before, { round, doors, ways, at }, [...this.done, ...this.queue]);
    await inOne(database, [facts], async () => {
      await facts.put({ key: `round:${round.id}`, value: kept });
      const waiting = (await facts.get(`incoming:${round.id}`))?.value;
      if (waiting?.round.version === round.version) await facts.delete(`incoming:${round.id}`);
      await facts.put({ key: `seen:${round.id}`, value: round.version });
    });
    await this.load();
    return operation;
  }

  // Half-filled forms: of a door by its stop, of a correction by `remark:<operation>`, of a handover as `office`.
  draft(stop) {
    return this.database.drafts.get(stop).then((row) => row?.value ?? null);
  }

  keepDraft(stop, value) {
    return withRoom(() => guarded(() => this.database.drafts.put({ stop, value })));
  }

  // What was drafted is done: a draft that stays is no fault of that.
  dropDraft(stop) {
    return this.database.drafts.delete(stop).catch(console.warn);
  }
}

export const isOpen = (state) => state === "pending" || state === "arrived";
