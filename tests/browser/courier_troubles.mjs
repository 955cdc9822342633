// Drives the courier's app through what goes wrong, each trouble on a phone of its own; what was found is JSON at the end.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { BASE, LANGUAGE, PICTURES, launch, newFound, takePhone } from "./courier_steps.mjs";

// Told {name: {phones: [number, ...], ...}}; FILMS and SEEN are what the camera of `codes` sees.
const { FILMS, SEEN } = process.env;
const AT_ONCE = 3;
const browser = await launch();
const meanwhile = async (what) => {
  const answer = await fetch(`${BASE}/test/${what}`);
  if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
};
const JPEG = { name: "photo.jpg", mimeType: "image/jpeg", buffer: readFileSync(`${FILMS}/photo.jpg`) };

const taken = new Map(); // the phones of each trouble, by what was found on them

async function take(found, options = {}, chrome = browser) {
  const phone = await takePhone(chrome, found, options);
  taken.set(found, [...(taken.get(found) ?? []), phone]);
  return phone;
}

// --- what every courier does -----------------------------------------------------------------------------------------

async function signIn(phone, number) {
  await phone.open();
  await phone.askForCode(number);
  await phone.enterCode(number);
}

async function leave(phone) {
  await phone.main().tap();
  await phone.at("#/$");
  await phone.page.waitForSelector("a.stop.open");
}

async function ready(phone, number) {
  await signIn(phone, number);
  await phone.prepare();
  await leave(phone);
}

// Nothing waits any more; an operation that is held back is waited for.
const sent = ({ page }) =>
  page.waitForFunction(() => !document.querySelector("#pill").matches(".waiting, [hidden]"), null, { timeout: 90_000 });

async function stopOf(phone, kind) {
  await phone.go("#/");
  await phone.page.locator(`a.stop.${kind}.open`).first().tap();
  await phone.at("#/stop/");
  return phone.doorOf();
}

async function arrive(phone, kind) {
  const door = await stopOf(phone, kind);
  await phone.stand(door.job.point);
  await phone.main().tap();
  await phone.at(`${kind}`);
  return door;
}

const idOf = async ({ page }) => (await page.evaluate(() => location.hash)).split("/")[2];

async function toSignature(phone, seal = "NS-004217") {
  await phone.main().tap();
  await phone.at("papers");
  await phone.main().tap();
  await phone.at("seal");
  await phone.page.fill("input[autocapitalize=characters]", seal);
  await phone.page.locator("main > .plain").last().tap();
  await phone.at("sign");
}

async function finishDoor(phone) {
  await phone.sign();
  await phone.main().tap();
  await phone.at("receipt");
  return idOf(phone);
}

async function pickUp(phone) {
  await arrive(phone, "pickup");
  await toSignature(phone);
  return finishDoor(phone);
}

// Known before the door is reached: the shortest thing to do.
async function postpone(phone, kind = "delivery") {
  const before = new Set((await phone.kept("queue")).map(({ id }) => id));
  const door = await stopOf(phone, kind);
  await phone.go(`#/stop/${door.id}/failure/postponed`);
  await phone.page.locator("#action .main-action").tap();
  await phone.at("#/$");
  return (await phone.kept("queue")).find(({ id }) => !before.has(id)).id;
}

const done = async (phone, id) => (await phone.kept("done")).find((one) => one.id === id) ?? null;
const look = (phone) => phone.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

// Until the phone has heard what others did; a transaction that is open elsewhere in this database's server holds it up.
async function news(phone, selector) {
  for (let tries = 0; tries < 360; tries += 1) {
    if (await phone.page.locator(selector).count()) return;
    await look(phone);
    await phone.page.waitForTimeout(500);
  }
  throw new Error(`no ${selector}`);
}

// --- the troubles ----------------------------------------------------------------------------------------------------

// Others take all the room that there is; what is left is told to nobody, so it is tried.
async function fill({ page }) {
  return page.evaluate(async () => {
    const cache = await caches.open("filler");
    let filled = 0;
    for (let size = 2_000_000; size > 200;) {
      const noise = new Uint8Array(size);
      for (let at = 0; at < size; at += 60_000) crypto.getRandomValues(noise.subarray(at, at + 60_000));
      const kept = await cache.put(`/filler/${crypto.randomUUID()}`, new Response(noise)).then(
        () => true,
        () => false,
      );
      if (kept) filled += size;
      else size = Math.floor(size / 2);
    }
    return filled;
  });
}

async function fullDisk({ phones: [number] }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  const devtools = await phone.context.newCDPSession(await phone.context.newPage()); // what it says holds as long as this page
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  const REMEMBERED_MS = 32_000; // Chromium's databases ask how much room there is twice a minute
  const reopen = async (wait = REMEMBERED_MS) => {
    const hash = await page.evaluate(() => location.hash);
    await page.goto("about:blank");
    await page.waitForTimeout(wait);
    await page.goto(`${BASE}/courier?lang=${LANGUAGE}${hash}`);
    await page.waitForSelector("body[data-open]");
  };
  const tiles = () => page.evaluate(() => caches.has("courier-tiles"));
  const signed = async () => {
    // with a photo that takes more room than a database moves by itself
    await phone.main().tap();
    await phone.at("papers");
    await phone.main().tap();
    await phone.at("seal");
    await page.fill("input[autocapitalize=characters]", "NS-004217");
    await page.locator("main input[type=file]").setInputFiles({ ...JPEG, buffer: readFileSync(`${FILMS}/large.jpg`) });
    await phone.at("sign");
    await phone.sign();
    await page.waitForTimeout(300);
  };
  // The map goes first, and nothing else is noticed.
  await arrive(phone, "pickup");
  await signed();
  await page.evaluate(() =>
    caches.open("courier-tiles").then((map) => map.put("/tiles/large", new Response(new Uint8Array(2_000_000)))),
  );
  found.tilesBefore = await tiles();
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: BASE, quotaSize: usage + 8_000_000 });
  found.filled = [await fill(phone)];
  await reopen();
  await phone.main().tap();
  await page.waitForFunction(() => /receipt|full/.test(location.hash));
  found.first = await page.evaluate(() => location.hash.split("/")[1]);
  found.tilesAfter = await tiles();
  await arrive(phone, "pickup");
  const stop = await idOf(phone);
  await signed();
  const before = await phone.kept("queue");
  const [{ counter }] = await phone.kept("keys");
  found.filled.push(await fill(phone));
  await reopen();
  await phone.main().tap();
  await phone.at("#/trouble/full");
  await phone.look("trouble-full");
  const saving = page.waitForEvent("download");
  await page.locator("main .second-action").tap();
  await (await saving).saveAs(`${PICTURES}/courier-full-${LANGUAGE}.backup`);
  found.same =
    JSON.stringify((await phone.kept("queue")).filter(({ id }) => before.some((one) => one.id === id)).length) ===
    JSON.stringify((await phone.kept("queue")).length);
  found.counter = (await phone.kept("keys"))[0].counter - counter;
  found.draft = (await phone.kept("drafts")).find((row) => row.stop === stop)?.value.strokes?.length ?? 0;
  await page.evaluate(() => caches.delete("filler"));
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: BASE });
  await reopen(3_000);
  await phone.go(`#/stop/${stop}/pickup/sign`);
  await page.waitForSelector("canvas.pad");
  await phone.main().tap();
  await phone.at("receipt");
  found.made = await idOf(phone);
  await sent(phone);
  found.faults = found.faults.filter((text) => !/^r \(/.test(text)); // a position for which there was no room, as Dexie calls it
}

async function storageRefused({ phones: [number] }, found) {
  const phone = await take(found);
  const answer = (promised) =>
    phone.context.addInitScript((given) => {
      StorageManager.prototype.persist = StorageManager.prototype.persisted = () => Promise.resolve(given);
    }, promised);
  await answer(false);
  await signIn(phone, number);
  await phone.prepare();
  await phone.look("trouble-persist-ready");
  await phone.go("#/me");
  await phone.look("trouble-persist-me");
  found.said = await phone.saidBy(() => phone.page.locator(".notice.warn .second-action").tap());
  await answer(true);
  await phone.page.reload();
  await phone.page.waitForSelector("body[data-open]");
  await phone.page.waitForTimeout(300);
  found.promised = await phone.page.locator(".notice.warn").count();
}

async function keyRevoked({ phones: [number] }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  [{ kid: found.old }] = await phone.kept("keys");
  await meanwhile(`end/${found.old}`);
  const work = await pickUp(phone);
  await phone.go("#/");
  await page.waitForSelector('a[href="#/trouble/key"]', { timeout: 60_000 });
  await phone.look("trouble-key-banner");
  await page.locator('a[href="#/trouble/key"]').tap();
  await phone.at("#/trouble/key");
  await phone.look("trouble-key");
  found.queue = (await phone.kept("queue")).map(({ id }) => id);
  found.evidence = (await phone.kept("evidence"))
    .filter(({ state }) => state === "waiting")
    .map(({ event, kind, size }) => [event, kind, size]);
  found.work = work;
  await phone.go("#/queue");
  const saving = page.waitForEvent("download");
  found.said = await phone.saidBy(() => page.locator(".card .second-action").tap());
  found.backup = `${PICTURES}/courier-${LANGUAGE}.backup`;
  await (await saving).saveAs(found.backup);
  await phone.go("#/trouble/key");
  await page.locator("main .plain").tap();
  await phone.at("#/sign-in");
  await phone.askForCode(number);
  await phone.enterCode(number);
  [{ kid: found.new, fault: found.fault }] = await phone.kept("keys");
  found.fresh = await postpone(phone);
  await page.waitForFunction(() => document.querySelector("#pill").textContent !== "", null);
  for (let tries = 0; tries < 60 && !(await done(phone, found.fresh)); tries += 1) await page.waitForTimeout(500);
  found.after = (await done(phone, found.fresh))?.state;
  found.stays = (await phone.kept("queue")).map(({ id }) => id);
  await phone.go("#/queue");
  await phone.look("trouble-key-queue");
}

async function withdrawn({ phones: [number], round }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  await phone.context.setOffline(true);
  found.made = [await pickUp(phone), await pickUp(phone)];
  await meanwhile(`withdraw/${round}`);
  await phone.context.setOffline(false);
  await phone.go("#/");
  await news(phone, 'a[href^="#/trouble/withdrawn/"]');
  for (let tries = 0; tries < 90 && (await phone.kept("queue")).length; tries += 1) await page.waitForTimeout(500);
  found.ends = [];
  for (const id of found.made) found.ends.push([(await done(phone, id))?.state, (await done(phone, id))?.code]);
  await page.waitForTimeout(500);
  await phone.look("trouble-withdrawn-banner");
  await page.locator('a[href^="#/trouble/withdrawn/"]').tap();
  await phone.at("withdrawn");
  await phone.look("trouble-withdrawn");
  await phone.go("#/queue");
  await phone.look("trouble-withdrawn-queue");
  await phone.go(`#/trouble/withdrawn/${round}`);
  await phone.main().tap();
  await phone.at("#/office");
  await phone.look("trouble-withdrawn-office");
  await phone.go("#/");
  await page.waitForTimeout(300);
  found.banner = await page.locator('a[href^="#/trouble/withdrawn/"]').count();
}

async function twoPhones({ phones: [number] }, found) {
  const first = await take(found);
  await ready(first, number);
  await sent(first);
  const second = await take(found);
  await signIn(second, number);
  await second.prepare();
  found.first = await pickUp(first);
  await sent(first);
  found.second = await pickUp(second);
  await sent(second);
  for (const [phone, id] of [
    [first, found.first],
    [second, found.second],
  ]) {
    (found.ends ??= []).push([(await done(phone, id)).state, (await done(phone, id)).code]);
  }
  const { subject } = await done(second, found.second);
  await second.go("#/");
  await second.page.waitForTimeout(500);
  await second.look("trouble-twice-banner");
  await second.go(`#/stop/${subject.stop}`);
  await second.look("trouble-twice-stop");
  await second.go("#/queue");
  await second.look("trouble-twice-queue");
}

async function brokenPhoto({ phones: [number] }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await arrive(phone, "pickup");
  await phone.main().tap();
  await phone.at("papers");
  await phone.main().tap();
  await phone.at("seal");
  await page.fill("input[autocapitalize=characters]", "NS-004217");
  const draft = async () => (await phone.kept("drafts"))[0].value;
  await page.locator("main input[type=file]").setInputFiles({ ...JPEG, buffer: JPEG.buffer.subarray(0, 200) });
  await page.waitForSelector(".finder-word.error");
  found.broken = { photo: (await draft()).photo, hash: await page.evaluate(() => location.hash.split("/").at(-1)) };
  await phone.look("trouble-photo");
  await page.locator("main input[type=file]").setInputFiles(JPEG);
  await phone.at("sign");
  found.again = (await draft()).photo.size;
  found.made = await finishDoor(phone);
  found.evidence = (await phone.kept("evidence"))
    .filter(({ event, kind }) => event === found.made && kind === "photo")
    .map(({ size }) => size);
  await sent(phone);
}

async function codes({ phones: [number] }, found) {
  const see = (name) => copyFileSync(`${FILMS}/${LANGUAGE}-${name}.y4m`, SEEN);
  see("other-card");
  const filming = await launch({ film: SEEN });
  try {
    const phone = await take(found, {}, filming);
    const { page } = phone;
    await ready(phone, number);
    // At a pickup: a bag's label for a card, another's card, the right one.
    await arrive(phone, "pickup");
    const scanned = async (name) => {
      see(name);
      await page.locator("main .second-action").first().tap();
    };
    found.noCard = await phone.saidBy(() => scanned("other-bag"));
    await page.waitForFunction(() => !document.querySelector("dialog"));
    await scanned("other-card");
    await page.waitForSelector(".notice.bad");
    await phone.look("trouble-other-card");
    await scanned("card");
    await phone.at("papers");
    found.identity = (await phone.kept("drafts"))[0].value.identity;
    found.cardKept = JSON.stringify([await phone.kept("drafts"), await phone.kept("facts")]).includes("033190001234");
    // The seal: a bag of another stop, then the seal's own bar code.
    see("other-bag");
    await phone.main().tap();
    await phone.at("seal");
    await page.waitForSelector("dialog .notice.bad");
    await phone.look("trouble-seal-other");
    await page.locator("dialog .main-action").tap();
    found.notFilled = await page.inputValue("input[autocapitalize=characters]");
    await phone.go(`#/stop/${await idOf(phone)}/pickup/papers`);
    see("seal");
    await phone.main().tap();
    await phone.at("seal");
    await page.waitForFunction(() => document.querySelector("input[autocapitalize=characters]")?.value);
    found.seal = await page.inputValue("input[autocapitalize=characters]");
    await page.waitForFunction(() => document.querySelector(".finder-word").textContent); // said once it is kept
    found.sealWord = await page.innerText(".finder-word");
    await page.locator("main > .plain").last().tap();
    await phone.at("sign");
    found.made = await finishDoor(phone);
    // At a delivery: another's bag, then the right one.
    await arrive(phone, "delivery");
    await phone.main().tap();
    await phone.at("who");
    await phone.main().tap();
    await phone.at("papers");
    await scanned("other-bag");
    await page.waitForSelector("dialog .notice.bad");
    await phone.look("trouble-bag-other");
    await page.locator("dialog .main-action").tap();
    await scanned("unknown-bag");
    await page.waitForSelector("dialog .notice.bad");
    found.unknown = await page.innerText("dialog .notice");
    await page.locator("dialog .main-action").tap();
    await scanned("bag");
    await page.waitForSelector(".notice.good");
    found.right = await page.innerText(".notice.good");
    // At the office: what is not to be handed in, then what is.
    await phone.go("#/office");
    see("unknown-bag");
    await phone.main().tap();
    await page.waitForSelector("dialog .finder-word.bad");
    found.notYours = await page.innerText("dialog .finder-word");
    found.leftBefore = await page.locator("dialog .finder-left li").allInnerTexts();
    await phone.look("trouble-office-other");
    found.chosenBefore = await page.locator("main input[type=checkbox]:checked").count();
    found.yours = await phone.saidBy(() => see("picked-up")); // before the same camera
    await page.waitForFunction(() => !document.querySelector("dialog"));
    await page.waitForFunction(() => document.querySelectorAll("main input[type=checkbox]:checked").length === 1);
    await sent(phone);
  } finally {
    await filming.close();
  }
}

async function changedPlan({ phones: [number], round }, found) {
  const phone = await take(found);
  const { page } = phone;
  await signIn(phone, number);
  await phone.prepare();
  await phone.go("#/");
  await page.waitForSelector("a.stop.open");
  // While he is online: the last stop comes first.
  await meanwhile(`move/${round}`);
  await news(phone, `a[href="#/plan/${round}"]`);
  await phone.look("trouble-plan-banner");
  const order = () => page.locator("a.stop .where").allTextContents();
  found.before = await order();
  await page.locator(`a[href="#/plan/${round}"]`).tap();
  await page.waitForSelector(".changes");
  await phone.look("trouble-plan");
  found.kinds = await page.locator(".changes > li").evaluateAll((rows) => rows.map((row) => row.className));
  await phone.main().tap();
  await phone.at("#/$");
  await page.waitForTimeout(500);
  found.after = await order();
  await sent(phone);
  await meanwhile(`seen/${round}`);
  await phone.go("#/ready");
  await leave(phone);
  await sent(phone);
  // While he has no network: a stop is called off.
  const door = await stopOf(phone, "pickup");
  await phone.go("#/");
  await phone.context.setOffline(true);
  await meanwhile(`cancel/${door.id}`);
  await page.waitForTimeout(500);
  found.offline = await page.locator(`a[href="#/plan/${round}"]`).count();
  await phone.context.setOffline(false);
  await news(phone, `a[href="#/plan/${round}"]`);
  await page.locator(`a[href="#/plan/${round}"]`).tap();
  await page.waitForSelector(".changes");
  await phone.look("trouble-plan-cancelled");
  found.cancelled = await page.locator(".changes > li").evaluateAll((rows) => rows.map((row) => row.className));
  await phone.main().tap();
  await phone.at("#/$");
  await sent(phone);
  found.seen = (await phone.kept("done"))
    .filter(({ typ }) => typ === "courier.seen")
    .map(({ fields, state }) => [fields.version, state]);
  await phone.go(`#/stop/${door.id}`);
  await phone.look("trouble-stop-cancelled");
}

const DAY_MS = 86_400_000;

async function wrongClock({ phones: [number] }, found) {
  const phone = await take(found);
  found.ahead = LANGUAGE === "vi" ? 1 : -1;
  await phone.context.addInitScript((by) => {
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...parts) {
        super(...(parts.length ? parts : [Real.now() + by]));
      }
      static now() {
        return Real.now() + by;
      }
    };
  }, found.ahead * DAY_MS);
  await signIn(phone, number);
  await phone.prepare();
  await phone.look("trouble-clock-ready");
  await leave(phone);
  await phone.page.waitForTimeout(300);
  await phone.look("trouble-clock");
  found.made = await pickUp(phone);
  await sent(phone);
  found.end = (await done(phone, found.made)).state;
}

async function signedOut({ phones: [number], person }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  const [{ kid }] = await phone.kept("keys");
  await meanwhile(`signout/${person}`);
  const one = await postpone(phone);
  await page.waitForSelector('.notice.bad a[href="#/sign-in"]', { timeout: 60_000 });
  await phone.look("trouble-signed-out");
  const other = await pickUp(phone);
  await phone.go("#/queue");
  await phone.look("trouble-signed-out-queue");
  found.waiting = (await phone.kept("queue")).map(({ id }) => id);
  await phone.go("#/");
  await page.locator('.notice.bad a[href="#/sign-in"]').tap();
  await phone.askForCode(number);
  await phone.enterCode(number);
  found.made = [one, other];
  found.sameKey = (await phone.kept("keys")).map((record) => record.kid === kid);
  await sent(phone);
  found.ends = [];
  for (const id of found.waiting) found.ends.push((await done(phone, id))?.state);
  await phone.go("#/");
  await page.waitForTimeout(300);
  found.banner = await page.locator('.notice.bad a[href="#/sign-in"]').count();
}

async function takenBack({ phones: [number] }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  const counter = async () => (await phone.kept("keys"))[0].counter;
  const undo = () => page.locator("#snack .snack-action").tap();
  // An arrival.
  const before = await counter();
  const { id: stop } = await arrive(phone, "pickup");
  found.arrivals = [(await counter()) - before];
  const [arrival] = await phone.kept("queue");
  await undo();
  await phone.at(`#/stop/${stop}$`);
  await page.waitForTimeout(200);
  found.arrivals.push((await counter()) - before);
  found.arrivedAgain = await page.locator("#action .main-action").innerText();
  found.gone = [arrival.id];
  // A door, before it has left: the form is as it was.
  await arrive(phone, "pickup");
  await toSignature(phone, "NS-000001");
  found.gone.push(await finishDoor(phone));
  await undo();
  await phone.at("sign");
  found.seal = (await phone.kept("drafts"))[0].value.seal;
  await page.waitForSelector("canvas.pad");
  await phone.main().tap();
  await phone.at("receipt");
  found.held = await idOf(phone);
  // The app is opened anew while it is held back.
  await page.reload();
  await page.waitForSelector("body[data-open]");
  found.reloaded = (await phone.kept("queue")).filter(({ id }) => id === found.held).map(({ sent_at: at }) => at);
  await sent(phone);
  // The next one has left by the time he changes his mind.
  found.late = await postpone(phone);
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 11_000;
    dispatchEvent(new Event("online"));
  });
  for (let tries = 0; tries < 40 && !(await done(phone, found.late)); tries += 1) await page.waitForTimeout(100);
  found.said = await phone.saidBy(undo);
  await phone.look("trouble-undo-late");
  await phone.go(`#/remark/${found.late}`);
  await phone.main().tap();
  await phone.look("trouble-remark");
  found.none = (await phone.kept("queue")).length;
  await page.locator(".choice").first().tap();
  await page.fill("textarea", "Khách có nhà, tôi bấm nhầm");
  await phone.main().tap();
  await phone.at("#/queue");
  await sent(phone);
  found.remarks = (await phone.kept("done"))
    .filter(({ typ }) => typ === "courier.remark")
    .map(({ fields, state }) => [fields.of, fields.why, state]);
}

async function denied({ phones: [number] }, found) {
  const strict = await launch({ asked: true });
  try {
    const phone = await take(found, { permissions: [] }, strict);
    const { page } = phone;
    await ready(phone, number);
    await phone.go("#/me");
    await page.waitForTimeout(500);
    await phone.look("trouble-gps-me");
    await sent(phone);
    await phone.context.setOffline(true);
    await stopOf(phone, "pickup");
    await phone.main().tap();
    await page.waitForSelector("dialog");
    await phone.look("trouble-gps");
    await page.locator("dialog .main-action").first().tap();
    await phone.at("pickup");
    [found.arrival] = (await phone.kept("queue")).map(({ id, fields }) => ({
      id,
      why: fields.why,
      geo: fields.geo ?? null,
    }));
    await phone.main().tap();
    await phone.at("papers");
    await phone.main().tap();
    await phone.at("seal");
    await page.waitForSelector(".finder.blind");
    await phone.look("trouble-camera");
    await page.fill("input[autocapitalize=characters]", "NS-004217");
    const asked = page.waitForEvent("filechooser");
    await phone.main().tap();
    await (await asked).setFiles(JPEG);
    await phone.at("sign");
    found.made = [await finishDoor(phone)];
    // The rest of the round, without a network.
    for (;;) {
      await phone.go("#/");
      const open = page.locator("a.stop.open");
      if (!(await open.count())) break;
      const isPickup = /pickup/.test(await open.first().getAttribute("class"));
      await open.first().tap();
      await phone.at("#/stop/");
      await phone.main().tap();
      await page.locator("dialog .main-action").first().tap();
      await phone.at(isPickup ? "pickup" : "delivery");
      if (isPickup) await toSignature(phone);
      else
        for (const step of ["who", "papers", "sign"]) {
          await phone.main().tap();
          await phone.at(step);
        }
      found.made.push(await finishDoor(phone));
    }
    const other = LANGUAGE === "vi" ? "en" : "vi";
    await page.goto(`${BASE}/courier?lang=${other}#/`);
    await page.waitForSelector("body[data-open]");
    found.language = [await page.getAttribute("html", "lang"), await page.innerText("#tabs .tab >> nth=0")];
    await page.goto(`${BASE}/courier`);
    await page.waitForSelector("body[data-open]");
    found.language.push(await page.getAttribute("html", "lang"));
    await page.goto(`${BASE}/courier?lang=${LANGUAGE}#/`);
    await page.waitForSelector("a.stop");
    await phone.look("trouble-offline-over");
    await phone.context.setOffline(false);
    await sent(phone);
    found.ends = (await phone.kept("done")).map(({ state }) => state);
  } finally {
    await strict.close();
  }
}

async function anotherCourier({ phones: [number, another], person }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  await sent(phone);
  await phone.context.setOffline(true);
  found.mine = [await pickUp(phone)];
  const door = await arrive(phone, "pickup"); // a half-filled form, too
  await phone.main().tap();
  await phone.at("papers");
  found.mine = (await phone.kept("queue")).map(({ id }) => id);
  const { rounds, words } = await mineOf(phone);
  found.words = words;
  await meanwhile(`signout/${person}`);
  await phone.context.setOffline(false);
  await phone.go("#/sign-in");
  await phone.askForCode(another);
  await phone.enterCode(another);
  await phone.look("trouble-other-ready");
  await phone.prepare();
  await leave(phone);
  found.theirs = [await postpone(phone)];
  const texts = [];
  for (const [hash, name] of [
    ["#/", "round"],
    ["#/queue", "queue"],
    ["#/office", "office"],
    ["#/me", "me"],
  ]) {
    await phone.go(hash);
    await page.waitForTimeout(400);
    texts.push(await phone.look(`trouble-other-${name}`));
  }
  for (const hash of [`#/stop/${door.id}`, `#/receipt/${found.mine[0]}`, `#/remark/${found.mine[0]}`]) {
    await phone.go(hash);
    await page.waitForTimeout(400);
    texts.push(await page.innerText("body"));
  }
  const { words: own } = await mineOf(phone);
  found.seen = words.filter((text) => !own.includes(text) && texts.some((shown) => shown.includes(text)));
  found.rounds = (await phone.kept("facts")).filter(
    ({ key, value }) => key.startsWith("round:") && rounds.includes(value.round.id),
  ).length;
  found.still = (await phone.kept("queue")).filter(({ id }) => found.mine.includes(id)).length;
  await sent(phone);
  await phone.go("#/me");
  await page.locator(".menu button").last().tap();
  await page.locator("dialog .main-action").tap();
  await phone.at("#/sign-in");
  await phone.askForCode(number);
  await phone.enterCode(number);
  await sent(phone);
  found.ends = [];
  for (const id of found.mine) found.ends.push((await done(phone, id))?.state);
  await phone.go("#/");
  await page.waitForTimeout(400);
  found.theirSeen = (await phone.kept("facts")).filter(
    ({ key, value }) => key.startsWith("round:") && !rounds.includes(value.round.id),
  ).length;
}

// Whom A's phone knows: names, addresses and numbers that B must not read.
async function mineOf(phone) {
  const days = (await phone.kept("facts")).filter(({ key }) => key.startsWith("round:")).map(({ value }) => value);
  const words = days
    .flatMap(({ doors }) => doors)
    .flatMap(({ job }) => [job.contact_name, job.address, job.tracking_number]);
  return { rounds: days.map(({ round }) => round.id), words: [...new Set(words)] };
}

async function rules({ phones: [number], stops }, found) {
  const phone = await take(found);
  const { page } = phone;
  await ready(phone, number);
  found.made = {};
  const at = async (name, kind) => {
    await phone.go(`#/stop/${stops[name]}`);
    await page.waitForSelector("#action .main-action");
    await phone.stand((await phone.doorOf()).job.point);
    await phone.main().tap();
    await phone.at(kind);
  };
  const onward = async (step) => {
    await phone.main().tap();
    await phone.at(step);
  };
  // Old originals are taken back before the result is given.
  await at("recalled", "delivery");
  await onward("who");
  await onward("papers");
  const recallFirst = await phone.saidBy(() => phone.main().tap());
  found.recalledFirst = [
    await phone.main().innerText(),
    recallFirst,
    await page.evaluate(() => location.hash.split("/").at(-1)),
  ];
  await phone.look("trouble-recalled");
  await page.locator("main label.choice").first().tap();
  await page.waitForTimeout(200);
  await onward("sign");
  found.made.recalled = await finishDoor(phone);
  // In person only.
  await at("forbidden", "delivery");
  await page.waitForSelector(".choices");
  await phone.look("trouble-in-person");
  found.choices = { forbidden: await page.locator(".choice").count() };
  for (const step of ["who", "papers", "sign"]) await onward(step);
  found.made.forbidden = await finishDoor(phone);
  // Family needs no paper where the procedure says so; where it does not, anyone needs one.
  await at("family", "delivery");
  await page.waitForSelector(".choices");
  found.choices.family = await page.locator(".choice").count();
  await page.locator(".choice").nth(1).tap();
  await page.locator("main input[autocapitalize=words]").fill("Trần Thị Bé");
  await phone.look("trouble-family");
  for (const step of ["who", "papers", "sign"]) await onward(step);
  found.made.family = await finishDoor(phone);
  await at("written", "delivery");
  await page.waitForSelector(".choices");
  await page.locator(".choice").nth(1).tap();
  await page.locator("main input[autocapitalize=words]").fill("Lê Văn Em");
  await phone.main().tap();
  await page.waitForSelector(".error");
  await phone.look("trouble-written");
  found.missing = await page.innerText(".error");
  await page.locator("main .field input").nth(1).fill("12/UQ ngày 20/11/2026");
  found.noPhoto = await phone.saidBy(() => phone.main().tap());
  await page.locator("main input[type=file]").setInputFiles(JPEG);
  await page.waitForSelector("img.taken");
  for (const step of ["who", "papers", "sign"]) await onward(step);
  found.made.written = await finishDoor(phone);
  // A paper beyond the list, and change for a large note.
  await at("pickup", "pickup");
  await onward("papers");
  await page.locator(".note-button").last().tap();
  await page.waitForTimeout(200);
  found.change = await page.locator("output.sum").innerText();
  await page.locator("main .field input").fill("1000");
  await page.waitForTimeout(200);
  found.short = await page.locator("output.sum").innerText();
  await phone.look("trouble-short");
  await page.locator(".note-button").last().tap();
  await page.locator("main > .plain").first().tap();
  await page.waitForSelector("dialog");
  await page.locator("dialog input:not([type=radio])").fill("Đơn xin giải trình");
  await page.locator("dialog .main-action").tap();
  await page.waitForTimeout(300);
  found.noReason = [await page.innerText("dialog .error"), await page.locator(".paper.extra:not(dialog *)").count()];
  await page.locator("dialog .choice").first().tap();
  await page.locator("dialog .main-action").tap();
  await page.waitForSelector(".paper.extra");
  await phone.look("trouble-extra");
  await onward("seal");
  await page.fill("input[autocapitalize=characters]", "NS-000777");
  await page.locator("main > .plain").last().tap();
  await phone.at("sign");
  found.made.pickup = await finishDoor(phone);
  await phone.go("#/office");
  await phone.look("trouble-office-recalled");
  await sent(phone);
  found.ends = (await phone.kept("done"))
    .map(({ typ, state, code }) => [typ, state, code])
    .filter(([, state]) => state !== "applied");
}

// --- all of them, a few at a time ------------------------------------------------------------------------------------

const PLAYS = {
  fullDisk,
  storageRefused,
  keyRevoked,
  withdrawn,
  twoPhones,
  brokenPhoto,
  codes,
  changedPlan,
  wrongClock,
  signedOut,
  takenBack,
  denied,
  anotherCourier,
  rules,
  loadedLater,
};
// The clerk loads the bags after the phone has fetched the day, all but one; he leaves without it.
async function loadedLater({ phones: [number] }, found) {
  const phone = await take(found);
  const { page } = phone;
  await signIn(phone, number);
  await phone.prepare();
  const lacking = async () => (await page.locator(".checklist li.bad p").last().innerText()).split(", ").length;
  found.lacking = await lacking();
  await phone.look("trouble-not-loaded");
  await meanwhile("load/1");
  for (let tries = 0; tries < 360 && (await lacking()) > 1; tries += 1) {
    await look(phone);
    await page.waitForTimeout(500);
  }
  found.lackingThen = await lacking();
  await page.locator("#action .second-action").tap();
  await page.waitForSelector("dialog");
  found.asked = await page.innerText("dialog");
  await page.locator("dialog .main-action").tap();
  await phone.at("#/$");
  const own = [...(await phone.kept("queue")), ...(await phone.kept("done"))];
  const { id: start } = own.find(({ typ }) => typ === "courier.start");
  // The first that was loaded: the one left in the office is the last.
  await arrive(phone, "delivery");
  const { id: arrival } = (await phone.kept("queue")).at(-1);
  await phone.main().tap();
  await phone.at("who");
  await phone.main().tap();
  await phone.at("papers");
  await phone.main().tap();
  await phone.at("sign");
  found.made = [start, arrival, await finishDoor(phone)];
  await sent(phone);
}

const told = JSON.parse(readFileSync(0));
const left = Object.keys(told);
const all = {};

async function play(name) {
  const found = newFound();
  all[name] = found;
  const began = Date.now();
  try {
    await PLAYS[name](told[name], found);
  } catch (fault) {
    found.broke = fault.stack;
    for (const { page } of taken.get(found) ?? []) {
      found.broke += await page.evaluate(() => `\n${location.hash}\n${document.body.innerText}`).catch(String);
      await page.screenshot({ path: `${PICTURES}/courier-fault-${name}-${LANGUAGE}.png` }).catch(() => {});
    }
  }
  for (const { context } of taken.get(found) ?? []) await context.close().catch(() => {});
  found.seconds = Math.round((Date.now() - began) / 1000);
}

await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (left.length) await play(left.shift());
  }),
);
writeFileSync(`${PICTURES}/courier-troubles-${LANGUAGE}.json`, JSON.stringify(all, null, 1));
console.log(JSON.stringify({ faults: [], troubles: all }));
await browser.close();
