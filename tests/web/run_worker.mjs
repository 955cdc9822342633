// Runs the app's service worker, and what asks for it, over cases from stdin: {do, ...} to what they give.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const APP = new URL("../../courier_api/web/static/js/app/", import.meta.url);
const SCRIPT = ["../keeping.js", "worker.js"].map((name) => readFileSync(new URL(name, APP), "utf8")).join("\n");
const ORIGIN = "https://post.example";
const absolute = (address) => new URL(address.url ?? address, ORIGIN).href;

// The browser's caches, on a disk that takes `room` more files.
class Caches {
  constructor(before, room) {
    this.room = room;
    const filled = (files) => new Map(Object.entries(files).map(([at, text]) => [absolute(at), new Response(text)]));
    this.named = new Map(Object.entries(before).map(([name, files]) => [name, filled(files)]));
  }

  async has(name) {
    return this.named.has(name);
  }

  async keys() {
    return [...this.named.keys()];
  }

  async delete(name) {
    return this.named.delete(name);
  }

  async open(name) {
    if (!this.named.has(name)) this.named.set(name, new Map());
    const files = this.named.get(name);
    return {
      match: async (address) => files.get(absolute(address))?.clone(),
      keys: async () => [...files.keys()].map((url) => ({ url })),
      delete: async (address) => files.delete(absolute(address)),
      put: async (address, response) => {
        const text = await response.text();
        if ((this.room -= 1) < 0) throw new DOMException("no room", "QuotaExceededError");
        files.set(absolute(address), new Response(text));
      },
    };
  }

  async texts() {
    const texts = {};
    for (const [name, files] of this.named) {
      texts[name] = {};
      for (const [url, response] of files) texts[name][url.slice(ORIGIN.length)] = await response.clone().text();
    }
    return texts;
  }
}

// A server that answers {status, headers, text}, breaks the line in the middle ("cut") or is not there (null).
function server(answers, seen) {
  let now = 0;
  return async (request) => {
    const address = absolute(request).slice(ORIGIN.length);
    seen.asked.push(address);
    seen.most = Math.max(seen.most, (now += 1));
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
    now -= 1;
    const answer = answers[address];
    if (!answer) throw new TypeError("Failed to fetch");
    const { status = 200, headers = {}, text = address, cut = false } = answer;
    const broken = () => new ReadableStream({ pull: (stream) => stream.error(new TypeError("cut")) });
    return new Response(cut ? broken() : text, { status, headers });
  };
}

// What became of events that came one after the other. An event that the worker does not hold on to is over at once.
async function worker({ shell, answers, events, before = {}, room = Infinity }) {
  const heard = {};
  const seen = { asked: [], most: 0, skipped: false };
  const caches = new Caches(before, room);
  vm.runInNewContext(`const SHELL = ${JSON.stringify(shell)};\n${SCRIPT}`, {
    URL,
    Response,
    Promise,
    Error,
    console,
    caches,
    Request: class {
      constructor(address) {
        this.url = absolute(address);
      }
    },
    addEventListener: (type, act) => {
      heard[type] = act;
    },
    clients: { claim: async () => {}, matchAll: async () => [] },
    fetch: server(answers, seen),
    location: new URL(ORIGIN),
    skipWaiting: async () => {
      seen.skipped = true;
    },
  });
  const outcomes = [];
  for (const [type, data] of events) {
    const said = [];
    const held = [];
    heard[type]({ data, waitUntil: (work) => held.push(work), source: { postMessage: (text) => said.push(text) } });
    const all = await Promise.allSettled(held);
    const fault = all.find(({ status }) => status === "rejected")?.reason.message ?? null;
    outcomes.push({ held: held.length, fault, said });
  }
  return { outcomes, caches: await caches.texts(), ...seen };
}

// --- the page's side ----------------------------------------------------------------------------------------------

const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

function page(hash) {
  const told = '{"worker": "/w.js", "words": {}}';
  define("document", { querySelector: () => ({ textContent: told }), documentElement: { lang: "vi" } });
  define("addEventListener", () => {});
  define("location", { hash });
  define("history", {
    state: null,
    replaceState: (_, __, to) => {
      globalThis.location.hash = to;
    },
  });
}

// `ready` says what becomes of the worker, `says` what it answers. Waiting is over at once, and is counted.
async function later({ container = true, registered = true, ready = true, says = null }) {
  page("#/");
  const waits = [];
  const listeners = new Set();
  const real = globalThis.setTimeout;
  define("setTimeout", (act, ms, ...values) => {
    waits.push(ms);
    return real(act, 20, ...values);
  });
  const answer = () => {
    for (const act of listeners) if (says) act({ data: says });
  };
  const active = { postMessage: () => queueMicrotask(answer) };
  define(
    "navigator",
    container
      ? {
          serviceWorker: {
            register: async () => {
              if (!registered) throw new DOMException("no", "SecurityError");
            },
            ready: ready ? Promise.resolve({ active }) : new Promise(() => {}),
            addEventListener: (_, act, { signal }) => {
              listeners.add(act);
              signal.addEventListener("abort", () => listeners.delete(act));
            },
          },
        }
      : {},
  );
  const { keepLater } = await import(new URL("shell.js", APP));
  const given = await Promise.race([
    keepLater(),
    new Promise((resolve) => {
      real(resolve, 2_000, "hangs");
    }),
  ]);
  define("setTimeout", real);
  return { given, waits, listening: listeners.size };
}

async function noRoute({ hash }) {
  page(hash);
  const { render } = await import(new URL("router.js", APP));
  return { shown: await render(), hash: globalThis.location.hash };
}

const DO = { worker, later, noRoute };
const answers = [];
for (const one of JSON.parse(readFileSync(0))) answers.push(await DO[one.do](one));
console.log(JSON.stringify(answers));
process.exit(0);
