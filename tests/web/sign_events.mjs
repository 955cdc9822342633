// Runs the device's own modules over cases from stdin: {do, ...} to what they give; bytes are hex, texts JSON.
import { readFileSync } from "node:fs";
import canonicalize from "canonicalize";
import { hex } from "../../courier_api/web/static/js/verify/bytes.js";
import { Unwritable, writer } from "../../courier_api/web/static/js/device/canonical.js";
import { coreOf, fromHex } from "../../courier_api/web/static/js/device/core.js";
import * as counter from "../../courier_api/web/static/js/device/counter.js";
import { NO_EVENT, buildEvent, countersign, newId, signEvent } from "../../courier_api/web/static/js/device/event.js";
import { certifiedUntil, lowS, makeKey, offer } from "../../courier_api/web/static/js/device/key.js";
import { anchorOf } from "../../courier_api/web/static/js/device/moment.js";

const write = writer(canonicalize);
// What JSON cannot say.
const STRANGE = {
  nan: NaN,
  infinity: Infinity,
  big: 2 ** 53,
  bigint: 1n,
  undefined,
  half: "\ud800",
  date: new Date(0),
  deep: deep(40),
};

function deep(levels) {
  return levels ? [deep(levels - 1)] : [];
}

const DO = {
  write: ({ value, strange }) => {
    try {
      return hex(write(strange ? { value: STRANGE[strange] } : value));
    } catch (fault) {
      if (fault instanceof Unwritable) return "refused";
      throw fault;
    }
  },
  core: ({ event, digest }) => {
    try {
      return hex(coreOf(event, fromHex(digest, 32)));
    } catch (fault) {
      if (fault instanceof RangeError) return "refused";
      throw fault;
    }
  },
  // A device signs events one after the other, and the other side signs beneath.
  plain: ({ said, moment }) =>
    buildEvent(said, { kid: "0".repeat(16), counter: 0, previous: NO_EVENT }, moment, write).then(
      () => "written",
      (fault) => (fault instanceof Unwritable ? "refused" : fault.message),
    ),
  chain: async ({ said, moments }) => {
    const { key, point, kid } = await makeKey();
    const other = await makeKey();
    let device = { kid, counter: 0, previous: NO_EVENT };
    const made = [];
    for (const [at, one] of said.entries()) {
      const { event, salts } = await buildEvent(one, device, moments[at], write);
      const { signed, digest } = await signEvent(event, salts, key, write);
      const core = Uint8Array.from(atob(signed.core), (letter) => letter.charCodeAt(0));
      made.push({ signed, under: await countersign(core, other) });
      device = { kid, counter: event.dev.ctr, previous: digest };
    }
    const takenOut = await crypto.subtle.exportKey("pkcs8", key).then(
      () => true,
      () => false,
    );
    return {
      point: hex(point),
      kid,
      otherPoint: hex(other.point),
      made,
      takenOut,
      offered: await offer({ key, point }, "123456", "x"),
    };
  },
  id: ({ kid, at }) => newId(kid, at),
  low: ({ raw }) => hex(lowS(fromHex(raw, 64))),
  until: ({ certificate }) => certifiedUntil(fromHex(certificate, 121)),
  anchor: ({ note }) => anchorOf(note),
  counter: ({ record, steps }) => {
    try {
      return steps.reduce((now, [name, ...rest]) => counter[name](now, ...rest), record);
    } catch (fault) {
      if (fault instanceof counter.Overtaken) return "overtaken";
      throw fault;
    }
  },
};

const answers = [];
for (const one of JSON.parse(readFileSync(0))) answers.push(await DO[one.do](one));
console.log(JSON.stringify(answers));
