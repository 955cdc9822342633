// What is different in a round since the courier last looked at it, as far as it is still to be done. Pure.
const LATER_MS = 10 * 60_000; // less is no news: every ride differs by so much
const OVER = ["done", "failed"];
// What a courier goes by at a door, of the stop's job and of the door itself.
const JOB = ["contact_name", "contact_phone", "address", "note", "point", "window_start", "window_end", "cautions"];
const DOOR = ["requirements", "documents", "lines", "checklist", "authorization"];

// [{kind, stop, from, to}], in the order of the new plan:
//   added, removed, moved   positions
//   time                    when it is planned for
//   changed                 the fields that did, by name
export function differences(before, after) {
  const [was, is] = [before, after].map(open);
  const stops = [before, after].flatMap(({ round }) => round.stops);
  const over = new Set(stops.filter(({ state }) => OVER.includes(state)).map(({ id }) => id));
  const added = [...is.values()].filter(({ stop }) => !was.has(stop.id) && !over.has(stop.id));
  const removed = [...was.values()].filter(({ stop }) => !is.has(stop.id) && !over.has(stop.id));
  const known = [...is.values()].filter(({ stop }) => was.has(stop.id));
  const both = known.map((now) => ({ now, then: was.get(now.stop.id) }));
  const kept = inOrder(both.map(({ then }) => then.stop.position));
  const found = added.map(({ stop }) => ({ kind: "added", stop, from: null, to: stop.position }));
  for (const [at, { then, now }] of both.entries()) {
    const { stop } = now;
    if (!kept.has(at)) found.push({ kind: "moved", stop, from: then.stop.position, to: stop.position });
    else if (isLater(then.stop, stop)) {
      found.push({ kind: "time", stop, from: then.stop.service_start, to: stop.service_start });
    }
    const [from, to] = changed(then, now);
    if (Object.keys(from).length) found.push({ kind: "changed", stop, from, to });
  }
  found.sort((a, b) => a.stop.position - b.stop.position);
  return [...found, ...removed.map(({ stop }) => ({ kind: "removed", stop, from: stop.position, to: null }))];
}

// The stops that are still to be ridden to, in order, each with its door.
function open({ round, doors }) {
  const byId = new Map((doors ?? []).map((door) => [door.id, door]));
  const stops = round.stops.filter(({ state }) => ["pending", "arrived"].includes(state));
  stops.sort((a, b) => a.position - b.position);
  return new Map(stops.map((stop) => [stop.id, { stop, door: byId.get(stop.id) ?? null }]));
}

const isLater = (then, now) => Math.abs(Date.parse(then.service_start) - Date.parse(now.service_start)) >= LATER_MS;

function changed(then, now) {
  const [from, to] = [{}, {}];
  const compare = (names, a, b) => {
    for (const name of names) {
      if (same(a[name], b[name])) continue;
      from[name] = a[name] ?? null;
      to[name] = b[name] ?? null;
    }
  };
  compare(JOB, then.stop.job, now.stop.job);
  if (then.door && now.door) compare(DOOR, then.door, now.door);
  return [from, to];
}

function same(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return (a ?? null) === (b ?? null);
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => same(a[name], b[name]));
}

// Which of these keep their order among each other, as many as possible: the others are those that moved.
function inOrder(values) {
  const best = []; // the longest rising row that ends with each
  values.forEach((value, at) => {
    let [length, from] = [1, -1];
    for (let i = 0; i < at; i++) {
      if (values[i] < value && best[i].length + 1 > length) [length, from] = [best[i].length + 1, i];
    }
    best.push({ length, from });
  });
  const kept = new Set();
  let at = best.reduce((top, { length }, i) => (top < 0 || length > best[top].length ? i : top), -1);
  for (; at >= 0; at = best[at].from) kept.add(at);
  return kept;
}
