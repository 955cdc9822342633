// Which vector tiles a round needs so that its map is there without a network. Pure.
import { distance } from "../position.js";

export const ZOOMS = [8, 9, 10, 11, 12, 13, 14]; // the server draws no deeper ones: the map enlarges the last
export const MOST = 400; // some 6 MB
const MARGIN = 0.75; // of a tile to each side: half of a phone's screen
const STEP_M = 300; // well inside the margin at the deepest zoom

// Addresses of the tiles around places [lon, lat]. Were they more than `most`, the deepest ones are left out, and of one
// zoom those in the margin and those of the last places: the map shows the zoom above in their stead.
export function tilesOf(points, { template, bounds = null, zooms = ZOOMS, most = MOST }) {
  const found = new Set();
  for (const z of [...zooms].sort((a, b) => a - b)) {
    const inside = bounds ? within(bounds, z) : () => true;
    for (const margin of [0, MARGIN]) {
      for (const point of points) {
        for (const [x, y] of around(point, z, margin)) {
          if (found.size >= most) return [...found];
          if (inside(x, y)) found.add(address(template, z, x, y));
        }
      }
    }
  }
  return [...found];
}

// The places along which a round goes: the stops first, then the post office, then the line step by step.
export function wayOf({ line, stops, office }) {
  const doors = stops.map(({ job }) => job.point);
  return [...doors, ...(office?.point ? [office.point] : [])]
    .map(({ lon, lat }) => [lon, lat])
    .concat(steps(line?.coordinates ?? []));
}

// A long straight road has a point at each end only, and a winding one hundreds.
function steps(coordinates) {
  const found = coordinates.slice(0, 1);
  for (const to of coordinates.slice(1)) {
    const from = found.at(-1);
    const count = Math.floor(distance(at(from), at(to)) / STEP_M);
    for (let n = 1; n <= count; n += 1) found.push(from.map((value, axis) => value + ((to[axis] - value) * n) / count));
  }
  return found.concat(coordinates.slice(-1));
}

const at = ([lon, lat]) => ({ lon, lat });

function* around([lon, lat], z, margin) {
  const [x, y] = column(lon, lat, z);
  const last = 2 ** z - 1;
  const range = (middle) => [Math.max(0, Math.floor(middle - margin)), Math.min(last, Math.floor(middle + margin))];
  const [[west, east], [north, south]] = [range(x), range(y)];
  for (let row = north; row <= south; row += 1) for (let col = west; col <= east; col += 1) yield [col, row];
}

// Outside the ground's bounds the map asks for none.
function within([west, south, east, north], z) {
  const [left, top] = column(west, north, z).map(Math.floor);
  const [right, bottom] = column(east, south, z).map(Math.ceil);
  return (x, y) => x >= left && x < right && y >= top && y < bottom;
}

// Web Mercator in tiles, with fractions.
function column(lon, lat, z) {
  const north = Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI;
  return [((lon + 180) / 360) * 2 ** z, ((1 - north) / 2) * 2 ** z];
}

const address = (template, z, x, y) => template.replace("{z}", z).replace("{x}", x).replace("{y}", y);
