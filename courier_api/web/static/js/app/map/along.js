// How far it is from stop to stop along the round's line, and what waits when a stop is taken out of turn. Pure.
import { distance } from "../position.js";

const EARTH_M = 6_371_009;
const DETOUR = 1.3; // roads beside straight lines
const SPEED_M_S = 30 / 3.6; // as the planner rides where it knows no roads
const PIECE_M = 25; // a stop stands on one piece of the line
const OFF_M = 500; // farther from it the line does not go there: the stop was put in after it was drawn
const radians = (degrees) => (degrees * Math.PI) / 180;

const ridden = (a, b) => distance(a, b) * DETOUR;

// Metres from each place {lon, lat} to the next, so one fewer than there are places; begin with the post office to know
// how far it is to the first stop. Where there is no line, straight with a detour.
export function alongLine(line, places) {
  const stands = line?.coordinates?.length > 1 && places.length > 1 ? placed(line.coordinates, places) : null;
  return places.slice(1).map((place, n) => {
    const [from, to] = stands ? stands.slice(n, n + 2) : [{ off: Infinity }, { off: Infinity }];
    return Math.round(Math.max(from.off, to.off) <= OFF_M ? to.at - from.at : ridden(places[n], place));
  });
}

// Where each place stands on the line, none before the one before it: of all such ways that which is least off in sum.
// A road ridden out and back is as near both times; then the first time counts.
function placed(coordinates, places) {
  const flat = flattened(coordinates[0]);
  const pieces = cut(coordinates.map(flat));
  const onto = places.map(({ lon, lat }) => project(pieces, flat([lon, lat])));
  const cameFrom = [];
  let costs = onto[0].off.map(cost);
  for (const { off } of onto.slice(1)) {
    let best = 0;
    const from = new Int32Array(pieces.length);
    costs = off.map((metres, n) => {
      if (costs[n] < costs[best]) best = n;
      from[n] = best;
      return costs[best] + cost(metres);
    });
    cameFrom.push(from);
  }
  let piece = costs.indexOf(costs.reduce((a, b) => Math.min(a, b)));
  const chosen = [piece];
  for (const from of cameFrom.reverse()) chosen.unshift((piece = from[piece]));
  let reached = 0;
  return chosen.map((n, place) => {
    reached = Math.max(reached, onto[place].at[n]);
    return { at: reached, off: onto[place].off[n] };
  });
}

// To the metre, so that equal ways are equal; and a place that is nowhere near the line has no say about the others.
const cost = (metres) => Math.round(Math.min(metres, OFF_M));

// Metres east and north of the beginning; exact enough across a province.
function flattened([lon0, lat0]) {
  const east = EARTH_M * Math.cos(radians(lat0));
  return ([lon, lat]) => [radians(lon - lon0) * east, radians(lat - lat0) * EARTH_M];
}

function cut(line) {
  const pieces = [];
  let at = 0;
  for (let n = 1; n < line.length; n += 1) {
    const [from, to] = [line[n - 1], line[n]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    const count = Math.max(1, Math.ceil(length / PIECE_M));
    const step = [(to[0] - from[0]) / count, (to[1] - from[1]) / count];
    for (let part = 0; part < count; part += 1) {
      const begin = [from[0] + step[0] * part, from[1] + step[1] * part];
      pieces.push({ begin, step, length: length / count, at: at + (length / count) * part });
    }
    at += length;
  }
  return pieces;
}

// A place's nearest point on every piece: how far along the line, and how far off it. A day's line has thousands of pieces.
function project(pieces, [x, y]) {
  const found = { at: new Float64Array(pieces.length), off: new Float64Array(pieces.length) };
  pieces.forEach(({ begin, step, length, at }, n) => {
    const [east, north] = [x - begin[0], y - begin[1]];
    const part = length > 0 ? Math.min(1, Math.max(0, (east * step[0] + north * step[1]) / length ** 2)) : 0;
    found.at[n] = at + part * length;
    found.off[n] = Math.hypot(east - step[0] * part, north - step[1] * part);
  });
  return found;
}

// The open stops that wait when `chosen` is ridden to before them, in order: each with when it would begin then
// (`expected`), and whether its window would be over (`at_risk`). `from` and `now` are where and when the courier leaves;
// without them he is at the first of them, as planned.
export function outOfOrder(stops, chosen, { from = null, now = null } = {}) {
  const before = stops
    .filter(({ state, position }) => ["pending", "arrived"].includes(state) && position < chosen.position)
    .sort((a, b) => a.position - b.position);
  if (before.length === 0) return [];
  let place = from ?? before[0].job.point;
  let time = now ?? Date.parse(before[0].arrival);
  const visit = (stop) => {
    time += (ridden(place, stop.job.point) / SPEED_M_S) * 1000;
    const begins = Math.max(time, stop.job.window_start ? Date.parse(stop.job.window_start) : time);
    time = begins + Date.parse(stop.departure) - Date.parse(stop.service_start);
    place = stop.job.point;
    return begins;
  };
  visit(chosen);
  return before.map((stop) => {
    const begins = visit(stop);
    const ends = stop.job.window_end;
    return { ...stop, expected: new Date(begins).toISOString(), at_risk: Boolean(ends) && begins > Date.parse(ends) };
  });
}
