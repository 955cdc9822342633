// The round as it stands: what the server last showed, and on top of it what this phone has signed since. Pure.
//   operations   rows of the queue (no `state` yet) and of what is done (with the server's), in any order

const STATES = { done: "completed" }; // as the server calls them, where we call them otherwise
const RANK = { pending: 0, arrived: 1, completed: 2, failed: 2, cancelled: 2 };
const BECOMES = { "courier.arrival": "arrived", "courier.failure": "failed", "custody.handover": "completed" };
const REFUSED = ["parked", "rejected"];

// For each stop, in the order of the round, what `start` gives; `by` is 'server' or 'phone', whoever said so last.
// An operation that the server's picture knows changes nothing. What the server could not do happened all the same: it
// stays as the phone has it, and `trouble` is the server's code.
export function fold({ round, doors }, operations) {
  const byId = new Map((doors ?? []).map((door) => [door.id, door]));
  const own = inTime(operations);
  return [...round.stops]
    .sort((a, b) => a.position - b.position)
    .map((stop) => {
      const door = byId.get(stop.id) ?? null;
      const standing = start(round, stop, door);
      for (const operation of own) {
        if (operation.subject?.stop === stop.id) atDoor(standing, operation);
        if (isOf(operation, standing.custody)) moveCustody(standing, operation);
      }
      return standing;
    });
}

function start(round, stop, door) {
  const state = STATES[stop.state] ?? stop.state;
  const { item_id: item, tracking_number: number, leg, holder } = door?.custody ?? {};
  const custody = door ? { item_id: item, tracking_number: number, leg, holder, by: "server" } : null;
  const lines = door?.lines ?? [];
  const me = `C-${String(round.courier.staff_number).padStart(5, "0")}`;
  return {
    round: round.id,
    me,
    stop,
    door,
    state,
    by: "server",
    sending: false,
    trouble: null,
    custody,
    lines,
    collected: 0,
    handover: null,
    receipt: null,
  };
}

function atDoor(standing, operation) {
  const becomes = BECOMES[operation.typ];
  if (!becomes) return;
  if (isPending(operation)) standing.sending = true;
  if (troubleOf(operation)) standing.trouble = troubleOf(operation);
  if (becomes === "completed") {
    const { id, fields, receipt = null } = operation;
    Object.assign(standing, { collected: fields.fee ?? 0, handover: id, receipt });
  }
  const known = RANK[standing.state] >= RANK[becomes];
  // An end that the server knows otherwise: papers that changed hands did so, whatever the plan says.
  const happened = becomes === "completed" && standing.state !== "completed" && !isPassedOver(operation);
  if ((known && !happened) || isPassedOver(operation)) return;
  Object.assign(standing, { state: becomes, by: "phone" });
}

// A leg that the server's picture has behind it is no news; of the last one it is still this phone that knows best.
function moveCustody(standing, operation) {
  const { custody, door } = standing;
  const { fields, beside, id } = operation;
  const isLast = fields.leg === custody.leg - 1 && !troubleOf(operation);
  if (fields.leg < custody.leg && !isLast) return;
  const holder = { role: fields.to.r, code: fields.to.id ?? "" };
  standing.custody = { ...custody, leg: fields.leg + 1, holder, by: "phone" };
  if (fields.from.r === "citizen") standing.lines = papers(door, beside);
  standing.handover ??= id;
}

// What the bag holds now, as it was counted at the door.
function papers(door, { lines = [], extra = [] }) {
  const named = new Map(door.documents.map((line) => [line.position, line]));
  const inOrder = [...lines].sort((a, b) => a.position - b.position);
  const counted = inOrder.map((line) => ({ ...line, name: named.get(line.position)?.name ?? "" }));
  return [...counted, ...extra].map((line, n) => ({ ...line, position: n + 1 }));
}

// The bags that the courier has now: `items` as the server last listed them, and what changed hands since.
export function holding(folded, items, operations = []) {
  const bags = new Map(items.map((item) => [item.id, bagOf(item.id, item, null)]));
  for (const standing of folded) {
    const { custody } = standing;
    if (!custody) continue;
    const held = custody.holder.role === "courier" && (custody.by === "phone" || custody.holder.code === standing.me);
    const mine = held || (custody.by === "server" && bags.has(custody.item_id));
    if (mine) bags.set(custody.item_id, bagOf(custody.item_id, custody, standing));
    else bags.delete(custody.item_id);
  }
  // A bag of a round that is not shown any more knows its last word only.
  const shown = new Set(folded.map(({ custody }) => custody?.item_id));
  for (const { typ, subject, fields } of inTime(operations)) {
    const given = typ === "custody.handover" && fields.from.r === "courier" && !shown.has(subject.item);
    if (given) bags.delete(subject.item);
  }
  return [...bags.values()];
}

// A bag of an earlier round has its papers from the server's list.
function bagOf(item_id, { tracking_number, kind = null, custody = null, lines = [] }, standing) {
  return {
    item_id,
    tracking_number,
    kind,
    custody: standing?.custody ?? custody,
    lines: standing?.lines ?? lines,
    round: standing?.round ?? null,
    stop: standing?.stop ?? null,
    job: standing?.stop.job ?? null,
  };
}

// Cash that the courier still owes the office: the vouchers that the server lists, and what was collected since. What was
// collected at a door that the server could not enter has no voucher yet: it is kept apart until a dispatcher has decided.
// `listed` is when the server's list was fetched: what it had applied before then and does not list is settled already.
export function cash(folded, vouchers, operations, listed = 0) {
  const owed = new Map(
    vouchers.map(({ handover_id, amount, tracking_number }) => [handover_id, { handover_id, amount, tracking_number }]),
  );
  const apart = new Map();
  const numbers = new Map(folded.map(({ custody }) => [custody?.item_id, custody?.tracking_number]));
  const own = inTime(operations).filter((operation) => !isPassedOver(operation));
  for (const operation of own) {
    const { typ, id, fields, subject } = operation;
    if (typ !== "custody.handover" || !(fields.fee > 0)) continue;
    if (operation.state === "applied" && operation.kept_at < listed && !owed.has(id)) continue;
    const slip = {
      handover_id: id,
      amount: fields.fee,
      tracking_number: fields.no ?? numbers.get(subject.item) ?? null,
    };
    (troubleOf(operation) && !owed.has(id) ? apart : owed).set(id, slip);
  }
  for (const { typ, fields, state } of own)
    if (typ === "courier.settlement" && !REFUSED.includes(state)) for (const id of fields.handovers) owed.delete(id);
  const of = [...owed.values()];
  return { total: sum(of), of, apart: [...apart.values()] };
}

// Deliveries whose recalled originals are still with the courier: what the server lists, and what was taken back since.
// `items` is null where the list was never fetched, and then nothing is known to be given in; `listed` is as with cash.
export function recalled(items, operations, listed = 0) {
  const has = new Set((items ?? []).map(({ handover_id: id }) => id));
  const own = inTime(operations).filter((operation) => !troubleOf(operation) && !isPassedOver(operation));
  for (const { typ, id, fields, state, kept_at: at } of own) {
    if (typ !== "custody.handover" || !fields.recalled?.some(([, originals]) => originals > 0)) continue;
    const isGivenIn = items && state === "applied" && at < listed; // else it would stand in the list
    if (!isGivenIn) has.add(id);
  }
  for (const { typ, fields } of own)
    if (typ === "courier.settlement") for (const id of fields.recalled ?? []) has.delete(id);
  return [...has];
}

const sum = (slips) => slips.reduce((all, { amount }) => all + amount, 0);

const isPending = ({ state }) => state === undefined;
const troubleOf = ({ state, code, decision }) => (REFUSED.includes(state) && !decision ? code : null);
// A dispatcher has decided that it changes nothing.
const isPassedOver = ({ decision }) => decision === "dismiss";
const isOf = ({ typ, subject, decision }, custody) =>
  Boolean(custody) && typ === "custody.handover" && subject.item === custody.item_id && !isPassedOver({ decision });

// As they were signed; of one device the counter knows better than its clock.
export function inTime(operations) {
  return [...operations].sort((a, b) => (a.kid === b.kid ? a.counter - b.counter : a.at < b.at ? -1 : 1));
}
