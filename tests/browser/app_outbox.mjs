// Drives a courier's queue in Chromium through a bad network and a browser that is killed, and prints what it found as JSON.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { BASE, CONTROL, PHONE, SMS, PROFILE, CHROMIUM } = process.env;
const SWITCHES = [
  "--headless=new",
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-gpu",
  "--no-first-run",
  "--remote-debugging-port=0",
  `--user-data-dir=${PROFILE}`,
  "about:blank",
];
const found = { faults: [], handovers: 0, files: 0, cuts: 0, last: {}, undone: [] };
let running = null;
let page = null;

// --- the browser, and its sudden death ----------------------------------------------------------------------------

async function launch(before = async () => {}) {
  const browser = spawn(CHROMIUM, SWITCHES, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    browser.stderr.on("data", (text) => {
      said += text;
      const [, url] = /DevTools listening on (\S+)/.exec(said) ?? [];
      if (url) resolve(url);
    });
    browser.on("exit", () => reject(new Error(said)));
  });
  const driver = await chromium.connectOverCDP(address);
  const context = driver.contexts()[0];
  context.setDefaultTimeout(30_000);
  context.on("weberror", (fault) => found.faults.push(fault.error().message));
  running = {
    browser,
    driver,
    context,
    gone: new Promise((resolve) => {
      browser.on("exit", resolve);
    }),
  };
  await before();
  page = await open();
}

async function open() {
  const opened = await running.context.newPage();
  // What comes out of the service worker's cache and the camera is fetched beside the network here.
  await opened.route("**/test/page", async (route) =>
    route.fulfill({ response: await route.fetch({ url: `${CONTROL}/test/page` }) }),
  );
  for (const there of ["**/assets/**", "**/test/photo/**"]) {
    await opened.route(there, async (route) =>
      route.fulfill({ response: await route.fetch({ url: route.request().url().replace(BASE, CONTROL) }) }),
    );
  }
  await opened.goto(`${BASE}/test/page`);
  await opened.evaluate(async () => {
    const told = JSON.parse(document.querySelector("#told").textContent);
    const module = (name) => import(`${told.js}${name}`);
    const [store, operations, { openOutbox }, { call }, { signInWithKey }, { makeFeed }, ...shift] = await Promise.all([
      module("device/store.js"),
      module("app/operations.js"),
      module("app/outbox/index.js"),
      module("app/outbox/net.js"),
      module("device/signing-in.js"),
      module("app/outbox/feed.js"),
      module("app/shift/prepare.js"),
      module("app/shift/diff.js"),
      module("app/shift/fold.js"),
    ]);
    const database = await store.openDatabase();
    const { default: canonicalize } = await import(told.canonicalize);
    const { writer } = await module("device/canonical.js");
    const write = writer(canonicalize);
    let ahead = 0;
    const { CLOCK } = await module("app/outbox/turns.js");
    const clock = { ...CLOCK, now: () => Date.now() + ahead };
    const session = () => database.facts.get("session").then((row) => row?.value ?? null);
    Object.assign(window, { told, store, operations, database, call, write, session, makeFeed }, ...shift);
    window.skip = (ms) => {
      ahead += ms;
    };
    window.signIn = async (phone, code) => {
      const answer = await signInWithKey(phone, code, "courier", (device_key) =>
        call("/public/sign-ins", { method: "POST", body: { phone, code, role: "courier", device_key } }),
      );
      await database.facts.put({ key: "session", value: answer });
    };
    window.open_ = async () => {
      const { person_id: person } = await session();
      window.holder = { person, role: "courier" };
      window.outbox = await openOutbox({ holder: window.holder, told, clock });
      await window.outbox.start();
      window.problems = async () =>
        window.outbox.problems({ queue: await database.queue.toArray(), done: await database.done.toArray() });
    };
    if (await session()) await window.open_();
  });
  return opened;
}

async function kill() {
  process.kill(-running.browser.pid, "SIGKILL"); // the group that was started here
  await running.gone;
  await running.driver.close().catch(() => {});
}

const network = async (mode) => {
  if (mode !== "good") found.cuts += 1;
  await fetch(`${CONTROL}/test/network/${mode}`);
};
const meanwhile = (what) => fetch(`${CONTROL}/test/${what}`);
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function signIn() {
  await meanwhile("older");
  await page.evaluate((phone) => call("/public/sign-in-codes", { method: "POST", body: { phone } }), PHONE);
  const { text } = JSON.parse(readFileSync(SMS, "utf8").trim().split("\n").at(-1));
  const [code] = /\b\d{6}\b/.exec(text);
  await page.evaluate(
    async ([phone, digits]) => {
      await signIn(phone, digits);
      if (!window.outbox) await open_();
    },
    [PHONE, code],
  );
}

const record = () =>
  page.evaluate(async () => {
    const { kid, counter, fault } = await store.read(holder);
    return { kid, counter, fault };
  });

// Until nothing waits any more; what is asked of the outbox may die with the browser.
async function drained(on = page) {
  await on.waitForFunction(() => outbox.counts().operations === 0 && outbox.counts().photos === 0, null, {
    timeout: 90_000,
    polling: 200,
  });
}

// --- a day at doors -----------------------------------------------------------------------------------------------

const takePhotos = () =>
  page.evaluate(async () => {
    const take = async (seed) => new Uint8Array(await (await fetch(`/test/photo/${seed}`)).arrayBuffer());
    window.photos = [await take(1), await take(2)];
  });

// All that is done on the round, by number: what is enqueued twice would be two operations.
async function act(n, { round, doors }) {
  return page.evaluate(
    async ([at, round_, all]) => {
      const place = { lat: 20.66, lon: 106.062, accuracy: 8 };
      const said = () => {
        if (at === 0) return operations.start(round_);
        if (at === 2 * all.length + 1) return operations.finish(round_);
        const door = { ...all[Math.floor((at - 1) / 2)], round: round_.id };
        if (at % 2) return operations.arrival(door, { place });
        if (at % 4 === 0) {
          return operations.failure(door, {
            reason: "not_home",
            next: "try_again",
            note: "Không có ai ở nhà, đã gọi hai lần",
            photo: photos[0],
            place,
          });
        }
        return operations.handover(door, door.custody, window.me, {
          lines: door.documents.map(({ position, originals, copies }) => ({ position, originals, copies })),
          identity: "card_seen",
          fee: door.requirements.fee,
          seal: `NS-00${at}`,
          place,
          write,
          photo: photos[1],
          signatures: [
            {
              relationship: "self",
              signer_name: "Nguye\u0302\u0303n Thị Hoa",
              strokes: [
                [
                  [10, 12, 0, 50],
                  [14, 18, 16, 60],
                ],
              ],
            },
          ],
        });
      };
      window.me = (await session()).staff_code;
      const operation = await outbox.enqueue({ ...said(), hold_ms: 0 });
      return operation.id;
    },
    [n, round, doors],
  );
}

// What stands on the disk, in the order of the counter.
const standing = () =>
  page.evaluate(async () => {
    const rows = [...(await database.done.toArray()), ...(await database.queue.toArray())];
    return rows.sort((a, b) => a.counter - b.counter).map(({ id, counter }) => ({ id, counter }));
  });

async function ride(day) {
  const all = 2 * day.doors.length + 2;
  await takePhotos();
  await network("down");
  await page.route("**/assets/**", (route) => route.abort()); // a page that is not kept signs with what it has read
  let known = [];
  const deaths = new Set([7, 15, 22]);
  for (let n = 0; n < all;) {
    if (deaths.delete(n)) {
      const dying = act(n, day).catch(() => null); // perhaps written, perhaps not
      await pause((n % 3) * 15);
      await kill();
      await dying;
      await launch();
      await takePhotos();
      const now = await standing();
      if (JSON.stringify(now.slice(0, known.length)) !== JSON.stringify(known))
        found.faults.push(`lost by the kill at ${n}`);
      if (now.length < n || now.length > n + 1) found.faults.push(`${now.length} operations on the disk, not ${n}`);
      known = now;
      n = now.length;
      continue;
    }
    const id = await act(n, day);
    known.push({ id, counter: n + 1 });
    n += 1;
  }
  const counted = await page.evaluate(async () => ({ ...outbox.counts(), bytes: await outbox.bytes() }));
  if (counted.operations !== all || counted.bytes === 0) found.faults.push(`counted ${JSON.stringify(counted)}`);
  found.ridden = known.map(({ id }) => id);
  found.handovers = 0;
  for (let n = 1; n < all - 1; n += 1) {
    if (n % 2 === 0) {
      found.files += n % 4 === 0 ? 1 : 2;
      found.handovers += n % 4 === 0 ? 0 : 1;
    }
  }
}

// Up through a network that breaks, with two more deaths on the way.
async function arrive() {
  for (const mode of ["cuts", "deaf", "cuts", "slow"]) {
    await network(mode);
    await page.evaluate(() => outbox.nudge());
    for (let n = 0; n < 4; n += 1) {
      await pause(600);
      found.cuts += 4; // connections that may have broken meanwhile
      await page.evaluate(() => outbox.nudge());
    }
    if (mode !== "deaf") {
      await kill();
      await launch();
    }
  }
  await network("good");
  await page.evaluate(() => outbox.nudge());
  await drained();
}

// --- one thing at a time ------------------------------------------------------------------------------------------

const nowhere = (n, on = page, hold_ms = 0) =>
  on.evaluate(
    async ([at, hold]) => {
      const said = operations.start({ id: `00000000-0000-7000-8000-0000000000${at}` });
      return (await outbox.enqueue({ ...said, hold_ms: hold })).id;
    },
    [n, hold_ms],
  );
const result = (id) => page.evaluate(async (one) => (await database.done.get(one))?.result ?? null, id);

async function takeBack() {
  const before = await record();
  const held = await nowhere(10, page, 20_000);
  await pause(300);
  const isHeld = await page.evaluate(
    async (id) => (await database.queue.where("id").equals(id).first())?.sent_at === null,
    held,
  );
  const gone = await page.evaluate((id) => outbox.undo(id), held);
  const same = JSON.stringify(await record()) === JSON.stringify(before);
  const first = await nowhere(11, page, 20_000);
  const second = await nowhere(12);
  const both =
    (await page.evaluate((id) => outbox.undo(id), first)) && JSON.stringify(await record()) === JSON.stringify(before);
  const row = await page.evaluate(async () => {
    const saids = [14, 15, 16].map((n) => operations.start({ id: `00000000-0000-7000-8000-0000000000${n}` }));
    return (await outbox.enqueueAll(saids.map((said) => ({ ...said, hold_ms: 20_000 })))).map(({ id, counter }) => [
      id,
      counter,
    ]);
  });
  const inRow = row.every(([, counter], n) => counter === before.counter + 1 + n);
  const rowGone =
    (await page.evaluate((id) => outbox.undo(id), row[0][0])) &&
    JSON.stringify(await record()) === JSON.stringify(before);
  const third = await nowhere(13);
  await drained();
  const sent = await page.evaluate((id) => outbox.undo(id), third);
  found.undone = [held, first, second, ...row.map(([id]) => id)];
  found.undo = { held: isHeld, gone: gone && same, both, inRow, rowGone, sent };
}

async function loseAnswer() {
  await network("deaf");
  const id = await nowhere(20);
  await pause(1200);
  await network("good");
  await page.evaluate(() => outbox.nudge());
  await drained();
  found.lost = [await result(id)];
}

async function wrongReceipt() {
  await page.route(
    "**/couriers/sync",
    async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      answer.results[0].receipt.text = answer.results[0].receipt.text.replace(/"at":"\d/, '"at":"3');
      await route.fulfill({ response, json: answer });
    },
    { times: 1 },
  );
  const id = await nowhere(30);
  await page.waitForFunction(() => outbox.state() === "faulted");
  const [problem] = await page.evaluate(async () => (await problems()).filter(({ kind }) => kind === "operation"));
  const kept = problem?.id === id;
  await page.evaluate(() => {
    skip(6 * 60_000);
    outbox.nudge();
  });
  await drained();
  found.wrong = { kept, problem: problem?.code, after: await result(id) };
}

// A piece that was damaged on its way, an upload that the server has forgotten, and a word that is not the operator's.
async function badUpload() {
  // What was kept before is looked at once more, and then forgotten.
  for (let left = 1, tries = 0; left && tries < 100; tries += 1) {
    await pause(50);
    left = await page.evaluate(() => database.evidence.count());
  }
  const methods = [];
  let forged = 0;
  await page.route("**/couriers/evidence**", async (route) => {
    const method = route.request().method();
    methods.push(method);
    const nth = methods.filter((one) => one === method).length;
    if (method === "PATCH" && nth === 1) return route.fulfill({ status: 460, headers: { "Tus-Resumable": "1.0.0" } });
    if (method === "HEAD" && nth === 1) return route.fulfill({ status: 404 });
    const response = await route.fetch();
    const headers = response.headers();
    if (!headers["upload-receipt"] || forged++) return route.fulfill({ response });
    return route.fulfill({
      response,
      headers: { ...headers, "upload-receipt": headers["upload-receipt"].replace('"v":1', '"v":2') },
    });
  });
  const id = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch("/test/photo/9")).arrayBuffer());
    const said = operations.failure(
      { id: crypto.randomUUID() },
      { reason: "not_home", next: "try_again", photo: bytes },
    );
    return (await outbox.enqueue({ ...said, hold_ms: 0 })).id;
  });
  found.cuts += 12;
  const standing = () =>
    page.evaluate(async (event) => {
      const row = await database.evidence.get([event, "photo"]);
      const [problem] = (await problems()).filter(({ kind }) => kind === "evidence");
      return { state: row?.state, bytes: row?.bytes?.length > 0, problem: problem?.code };
    }, id);
  let kept = await standing();
  for (let tries = 0; kept.problem !== "receipt_wrong" && tries < 100; tries += 1) {
    await pause(50);
    kept = await standing();
  }
  await page.evaluate(() => {
    skip(6 * 60_000);
    outbox.nudge();
  });
  await drained();
  await page.unroute("**/couriers/evidence**");
  const patches = methods.filter((one) => one === "PATCH").length;
  found.upload = {
    kept,
    after: await standing(),
    announced: methods.filter((one) => one === "POST").length,
    again: patches,
  };
  found.photoPieces = await page.evaluate(async () =>
    Math.ceil((await (await fetch("/test/photo/9")).arrayBuffer()).byteLength / 32768),
  );
}

async function badRequest() {
  await network("down");
  const ids = [];
  for (let n = 40; n < 47; n += 1) ids.push(await nowhere(n));
  const bad = ids[4];
  await page.route("**/couriers/sync", async (route) => {
    if (!route.request().postData().includes(bad)) return route.continue();
    const problem = { type: "urn:problem:courier:bad_fields", status: 422, detail: "…" };
    return route.fulfill({ status: 422, contentType: "application/problem+json", body: JSON.stringify(problem) });
  });
  await network("good");
  await page.evaluate(() => outbox.nudge());
  await page.waitForFunction(() => outbox.state() === "faulted" && outbox.counts().operations === 1);
  const stuck = await page.evaluate(async () => (await problems()).filter(({ kind }) => kind === "operation"));
  const others = await page.evaluate(
    async (all) => (await database.queue.where("id").anyOf(all).toArray()).length,
    ids.filter((id) => id !== bad),
  );
  await page.unroute("**/couriers/sync");
  await page.evaluate(() => {
    skip(6 * 60_000);
    outbox.nudge();
  });
  await drained();
  found.bad = {
    stuck: stuck.length,
    code: stuck[0]?.code,
    others,
    after: await page.evaluate(() => outbox.counts().operations),
  };
}

async function twoTabs() {
  const other = await open();
  await page.waitForFunction(async () =>
    (await navigator.locks.query()).pending.some(({ name }) => name.startsWith("courier sender")),
  );
  found.senders = await page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    const named = (list) => list.filter(({ name }) => name.startsWith("courier sender")).length;
    return [named(held), named(pending) - 1];
  });
  await network("down");
  const ids = await Promise.all([50, 51, 52, 53, 54, 55].map((n) => nowhere(n, n % 2 ? page : other)));
  await other.waitForFunction(() => outbox.counts().operations === 6);
  found.counted = { before: new Set(ids).size };
  const third = await open();
  for (const tab of [page, other, third]) await tab.waitForFunction(() => outbox.state() === "offline");
  await third.close();
  await network("good");
  await other.evaluate(() => outbox.nudge());
  await Promise.all([drained(), drained(other)]);
  found.counted.after = await other.evaluate(() => outbox.counts().operations);
  // The tab that sends is closed: the other one takes over.
  await page.close();
  page = other;
  await nowhere(56);
  await drained();
}

async function fullDisk() {
  const before = await record();
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  await kill();
  let devtools;
  await launch(async () => {
    // Chromium remembers for a while how much room there is
    devtools = await running.context.newCDPSession(running.context.pages()[0]);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: BASE, quotaSize: usage + 1_500_000 });
  });
  const fault = await page.evaluate(async () => {
    const large = new Uint8Array(6_000_000);
    for (let at = 0; at < large.length; at += 60_000) large.set(crypto.getRandomValues(new Uint8Array(60_000)), at);
    const said = operations.failure(
      { id: crypto.randomUUID() },
      { reason: "not_home", next: "try_again", photo: large },
    );
    try {
      const small = operations.start({ id: crypto.randomUUID() });
      await outbox.enqueueAll([small, { ...said, hold_ms: 0 }]); // the first alone would find room
      return null;
    } catch (thrown) {
      return thrown instanceof store.StorageFull ? "StorageFull" : `${thrown.name}: ${thrown.message}`;
    }
  });
  const same = JSON.stringify(await record()) === JSON.stringify(before);
  const half = await page.evaluate(() => database.queue.count());
  const id = await nowhere(60);
  await drained();
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: BASE });
  found.full = { fault, same, half, after: Boolean(await result(id)) };
}

// --- the round before it is ridden, and after ---------------------------------------------------------------------

const feed = () =>
  page.evaluate(async () => (await makeFeed({ database, holder, call }).once()).map(({ kind }) => kind));
const snapshots = (id) =>
  page.evaluate(async (round) => {
    const [seen, incoming] = await Promise.all([
      database.facts.get(`round:${round}`),
      database.facts.get(`incoming:${round}`),
    ]);
    return { seen: seen?.value, incoming: incoming?.value };
  }, id);

// The feed once it has something: what others do in this database meanwhile holds it up.
async function news() {
  for (let tries = 0; tries < 900; tries += 1) {
    const changes = await feed();
    if (changes.length) return changes;
    await pause(100);
  }
  return [];
}

// On the day of the round by the server's clock, which is not what the phone thinks.
const fetchDay = (day, tile) =>
  page.evaluate(
    async ([date, url]) => {
      const later = async (path, how) => {
        const response = await call(path === "/couriers/rounds" ? `${path}?day=${date}` : path, how);
        const dated = { headers: { Date: `${date}T03:00:00Z` } };
        return how.raw && path === "/couriers/items" ? new Response(response.body, dated) : response;
      };
      await database.facts.put({ key: "round:of-yesterday", value: { round: { id: "of-yesterday" }, doors: [] } });
      const storage = { persisted: async () => true, estimate: () => navigator.storage.estimate() };
      const { missing } = await prepare({
        call: later,
        database,
        holder,
        tiles: () => [url],
        storage,
      });
      return missing;
    },
    [day, tile],
  );

async function getReady({ round, doors }) {
  const missing = await fetchDay(round.day, "/test/photo/1");
  const facts = await page.evaluate(async () => ({
    office: Boolean((await database.facts.get("office"))?.value.clerks.length),
    old: Boolean(await database.facts.get("round:of-yesterday")),
    tiles: Boolean(await (await caches.open("courier-tiles")).match("/test/photo/1")),
  }));
  found.prepared = { missing, doors: (await snapshots(round.id)).seen.doors.length, ...facts };
  found.tileMissing = await fetchDay(round.day, "/api/nowhere");
  await news(); // that it was published
  await meanwhile(`cancel/${doors.at(-1).job.dossier_id}`);
  const changes = await news();
  const { seen, incoming } = await snapshots(round.id);
  const kinds = await page.evaluate(([a, b]) => differences(a, b).map(({ kind }) => kind), [seen, incoming]);
  found.news = { changes, differences: kinds, again: await feed() };
}

async function lookBehind() {
  found.clock = await page.evaluate(async () => (await database.facts.get("clock")).value);
  found.parked = (await news()).filter((kind) => kind === "operation_parked").length;
  await fetchDay(day.round.day, "/test/photo/1");
  const { seen, incoming } = await snapshots(day.round.id);
  Object.assign(
    found,
    await page.evaluate(async (shown) => {
      const done = await database.done.toArray();
      const [vouchers, items] = (await database.facts.bulkGet(["vouchers", "items"])).map(({ value }) => value);
      const folded = fold(shown, done);
      const ended = folded.filter(({ state }) => ["completed", "failed"].includes(state));
      return {
        vouchers: vouchers.reduce((sum, { amount }) => sum + amount, 0),
        folded: {
          ended: ended.length,
          phone: folded.filter(({ by }) => by === "phone").length,
          bags: holding(folded, items, done).length,
          owed: cash(folded, vouchers, done).total,
        },
      };
    }, incoming ?? seen),
  );
  found.anchor = await page.evaluate(async () => (await database.facts.get("anchor"))?.value);
}

async function keysEnd() {
  const first = await record();
  await meanwhile(`quarantine/${first.kid}`);
  const parked = await nowhere(70);
  await drained();
  const state = await page.evaluate(async (id) => (await database.done.get(id)).state, parked);
  found.quarantined = { state, fault: (await record()).fault };
  found.last[first.kid] = first.counter;
  await signIn(); // and a new key
  const second = await record();
  await nowhere(71);
  await drained();
  found.last[second.kid] = (await record()).counter;
  await meanwhile(`revoke/${second.kid}`);
  const dead = await nowhere(72);
  await page.waitForFunction(() => outbox.state() === "signed_out");
  const out = await page.evaluate(() => outbox.state());
  await signIn();
  const third = await record();
  const living = await nowhere(73);
  for (let tries = 0; !(await result(living)) && tries < 100; tries += 1) await pause(50);
  const stuck = await page.evaluate(async (id) => (await problems()).find((one) => one.id === id)?.code, dead);
  const applied = await page.evaluate(async (id) => database.done.where("id").equals(id).count(), dead);
  found.revoked = { state: out, stuck, newKey: new Set([first.kid, second.kid, third.kid]).size === 3, applied };
  found.last[third.kid] = 1;
}

const STEPS = { takeBack, loseAnswer, wrongReceipt, badUpload, badRequest, twoTabs, fullDisk, lookBehind, keysEnd };

await launch();
await signIn();
const day = await (await fetch(`${CONTROL}/test/round`)).json();
let at = Date.now();
const timed = async (name, work) => {
  await work();
  console.error(name, Date.now() - at);
  at = Date.now();
};
try {
  await timed("getReady", () => getReady(day));
  day.doors.pop();
  await timed("ride", () => ride(day));
  await timed("arrive", arrive);
  await meanwhile("grow");
  for (const [name, work] of Object.entries(STEPS)) await timed(name, work);
} finally {
  await kill();
}
console.log(JSON.stringify(found));
process.exit(0);
