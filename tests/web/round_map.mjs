// Runs the pure parts of the courier's map over cases from stdin: {do, ...} to what they give.
import { readFileSync } from "node:fs";
import { alongLine, outOfOrder } from "../../courier_api/web/static/js/app/map/along.js";
import { tilesOf, wayOf } from "../../courier_api/web/static/js/app/map/tiles.js";

const DO = {
  along: ({ line, places }) => alongLine(line, places),
  order: ({ stops, chosen, ...more }) => outOfOrder(stops, chosen, more),
  tiles: ({ points, round, ...more }) => tilesOf(points ?? wayOf(round), more),
};
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({ do: name, ...given }) => DO[name](given))));
