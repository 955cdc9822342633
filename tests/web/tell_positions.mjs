// Runs the app's own rules of position over cases from stdin: {do, ...} to what they give.
import { readFileSync } from "node:fs";
import {
  body,
  distance,
  fixOf,
  sendFixes,
  watchPosition,
  worth,
} from "../../courier_api/web/static/js/app/position.js";

// As much of a Dexie table with its own ids as the app asks for.
class Table {
  constructor(rows) {
    this.rows = rows.map((row, n) => ({ ...row, id: n + 1 }));
  }

  toCollection() {
    return { limit: (most) => ({ toArray: async () => this.rows.slice(0, most) }) };
  }

  async bulkDelete(ids) {
    this.rows = this.rows.filter(({ id }) => !ids.includes(id));
  }
}

// A server that answers with these statuses in turn; "cut" is a line that breaks.
function server(answers, heard) {
  return async (path, { method, headers, body: content, credentials }) => {
    heard.push({ path, method, type: headers["Content-Type"], credentials, content: JSON.parse(content) });
    const status = answers.shift();
    if (status === "cut") throw new TypeError("Failed to fetch");
    return { ok: status >= 200 && status < 300, status };
  };
}

const DO = {
  distance: ({ a, b }) => distance(a, b),
  worth: ({ last, fix }) => worth(last, fix),
  body: ({ device, fixes, skew }) => body(device, fixes, skew),
  fixes: ({ positions }) =>
    positions.reduce((fixes, position) => [...fixes, fixOf(strange(position), fixes.at(-1) ?? null)], []),
  // What a ride of many fixes leaves of them.
  ride: ({ fixes }) => {
    let last = null;
    return fixes.map((fix) => {
      const isWorth = worth(last, fix);
      if (isWorth) last = fix;
      return isWorth;
    });
  },
  watch: ({ steps, absent }) => {
    const heard = [];
    const calls = [];
    let on = null;
    const geolocation = {
      watchPosition: (found, failed, options) => {
        on = { found, failed };
        calls.push(options);
        return 0;
      },
      clearWatch: (watch) => {
        on = null;
        calls.push(watch);
      },
    };
    const watcher = watchPosition({
      onFix: (fix) => heard.push(fix.at),
      onState: (state) => heard.push(state),
      geolocation: absent ? null : geolocation,
    });
    for (const step of steps) {
      if (step === "stop") watcher.stop();
      else if (step.code) on?.failed(step);
      else on?.found(step);
    }
    return { heard, calls };
  },
  send: async ({ fixes, answers, skew }) => {
    const database = { fixes: new Table(fixes) };
    const heard = [];
    const sent = [];
    const fetch = server([...answers], heard);
    for (const _ of answers) sent.push(await sendFixes({ database, deviceId: "5f1c", skewMs: skew, fetch }));
    return { sent, heard, left: database.fixes.rows.map(({ at }) => at) };
  },
};

// JSON knows no NaN, and some browsers say it of a heading.
function strange({ timestamp, coords }) {
  return {
    timestamp,
    coords: Object.fromEntries(Object.entries(coords).map(([name, value]) => [name, value === "nan" ? NaN : value])),
  };
}

const cases = JSON.parse(readFileSync(0, "utf8"));
const found = [];
for (const one of cases) found.push(await DO[one.do](one));
process.stdout.write(JSON.stringify(found));
