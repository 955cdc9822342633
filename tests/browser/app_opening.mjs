// Drives Chromium through what may go wrong as the app is opened: no database, two versions that answer, a file that is
// not there.
import { BASE, launch, newFound, takePhone } from "./courier_steps.mjs";

const found = { ...newFound(), refused: {}, mixed: {}, receipt: {} };
const browser = await launch();

// The browser does not open the database, until the phone is told to.
async function databaseRefused(language) {
  const { context, page, look, main } = await takePhone(browser, found, { language });
  await page.addInitScript(() => {
    if (localStorage.open) return;
    IDBFactory.prototype.open = () => {
      throw new DOMException("not here", "InvalidStateError");
    };
  });
  await page.goto(`${BASE}/courier?lang=${language}#/me`);
  await page.waitForSelector(".notice.bad");
  const text = await look(`unopened-${language}`);
  await page.evaluate(() => {
    location.hash = "#/queue";
  });
  await page.waitForFunction(() => document.body.dataset.screen === "#/queue");
  const still = await page.locator(".notice.bad").count();
  await page.evaluate(() => {
    localStorage.open = "yes";
  });
  await main().tap();
  await page.waitForSelector("body[data-open] input[type=tel]");
  found.refused[language] = { text, still, faults: found.faults.splice(0) };
  await context.close();
}

const versions = (page) =>
  page.evaluate(async () => {
    const names = await caches.keys();
    return names.filter((name) => /^courier-[0-9a-f]{16}$/.test(name));
  });

// A process of another version answers for one file; later none does any more.
async function twoVersions() {
  const { context, page, open } = await takePhone(browser, found);
  await fetch(`${BASE}/test/other/operations.js`);
  await open();
  const state = await page.evaluate(async () => {
    const how = { scope: "/", updateViaCache: "none" }; // as the app does
    const worker = (await navigator.serviceWorker.register("/courier-worker.js", how)).installing;
    if (worker)
      await new Promise((resolve) => {
        worker.onstatechange = resolve;
      });
    return worker?.state ?? "gone";
  });
  found.mixed.first = { state, kept: await versions(page) };
  await fetch(`${BASE}/test/other/none`);
  await page.reload();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  found.mixed.then = (await versions(page)).length;
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector("body[data-open] input[type=tel]");
  await context.close();
}

// A receipt where what draws its code is not on the phone, and when it is.
async function receiptWithoutCode() {
  const { context, page, open } = await takePhone(browser, found);
  await page.addInitScript(() => {
    delete Navigator.prototype.serviceWorker;
  }); // or it answers, not the network
  await page.route("**/qr/index.js", (route) => route.abort());
  await open();
  const look = () =>
    page.evaluate(async () => {
      const near = document.querySelector('link[href$="app/router.js"]').href;
      const { receiptScreen } = await import(near.replace("router.js", "screens/receipt.js"));
      const operation = {
        id: "018f3c5a-0000-7000-8000-000000000001",
        typ: "custody.handover",
        at: new Date().toISOString(),
        fields: { no: "EH123456785VN", from: { r: "citizen" }, to: { r: "courier", id: "C-1" } },
        subject: { stop: "x" },
        beside: {},
        certificate: new Uint8Array(80),
        signed: { core: btoa("x".repeat(90)), signature: btoa("y".repeat(64)) },
      };
      const session = { full_name: "Trần Văn Nam" };
      const phone = { queue: [operation], done: [], stop: () => null, session, me: "C-1" };
      const { body, live } = await receiptScreen(phone)(operation.id);
      const shown = document.createElement("div");
      shown.append(...body.filter(Boolean));
      return { text: shown.textContent, pictures: shown.querySelectorAll("canvas").length, live };
    });
  found.receipt.without = await look();
  await page.unroute("**/qr/index.js");
  found.receipt.with = await look();
  await context.close();
}

// Somebody is signed in, as far as the phone knows, and something that he signed waits.
const signIn = (page) =>
  page.evaluate(async () => {
    const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
    const { facts, queue } = await openDatabase();
    const person = crypto.randomUUID();
    await facts.put({
      key: "session",
      value: { token: "x".repeat(48), person_id: person, full_name: "Trần Văn Nam", staff_code: "C-1" },
    });
    const what = {
      typ: "courier.seen",
      at: new Date().toISOString(),
      fields: {},
      subject: {},
      core: new Uint8Array(9),
    };
    await queue.put({ kid: "00", counter: 1, id: crypto.randomUUID(), person, sent_at: null, free_at: 0, ...what });
  });

async function takeUnkept() {
  const phone = await takePhone(browser, found);
  await phone.page.addInitScript(() => {
    delete Navigator.prototype.serviceWorker;
  }); // or it answers, not the network
  await phone.open();
  await signIn(phone.page);
  return phone;
}

// What sends, and a screen, do not load: the round is up all the same, and says how to mend it.
async function halfLoaded() {
  const { context, page, look, go } = await takeUnkept();
  const missing = /\/(sending|me)\.js$/;
  await page.route(missing, (route) => route.abort());
  await page.reload();
  const again = page.locator(".notice.bad .second-action");
  await again.waitFor();
  const half = { round: await look("half-loaded") };
  await page.evaluate(() => {
    location.hash = "#/me";
  });
  await page.waitForFunction(() => location.hash === "#/" && document.body.dataset.screen === "#/");
  await go("#/queue");
  half.queue = await look("half-loaded-queue");
  await context.setOffline(true);
  await again.tap();
  await page.waitForSelector("#snack:not([hidden])");
  half.offline = await page.innerText("#snack");
  await context.setOffline(false);
  await page.unroute(missing);
  await again.tap();
  await page.waitForFunction(
    () => document.body.dataset.open === "" && !document.querySelector(".notice .second-action"),
  );
  half.then = await page.evaluate(() => document.body.dataset.screen);
  found.half = { ...half, faults: found.faults.splice(0).length };
  await context.close();
}

// What follows position does not load: that is no reason to send nothing.
async function dutyMissing() {
  const { context, page } = await takeUnkept();
  await page.route("**/duty.js", (route) => route.abort());
  const asked = page.waitForRequest("**/couriers/sync");
  await page.reload();
  await asked;
  await page.waitForSelector(".notice.bad .second-action");
  found.dutyFaults = found.faults.splice(0).length;
  await context.close();
}

// The first screen never loads, or cannot: what was signed is sent all the same, and the round can be had.
async function screenMissing() {
  const { context, page } = await takeUnkept();
  let hang = true;
  await page.route("**/screens/queue.js", (route) => (hang ? null : route.abort()));
  await page.evaluate(() => {
    location.hash = "#/queue";
  });
  const sends = page.waitForResponse("**/outbox/sending.js");
  await page.reload();
  await sends;
  found.hanging = await page.evaluate(() => document.body.dataset.open === undefined);
  hang = false;
  await page.reload();
  await page.waitForSelector("body[data-open]");
  await page.waitForSelector(".notice.bad .second-action");
  found.instead = await page.evaluate(() => document.body.dataset.screen);
  found.insteadFaults = found.faults.splice(0).length;
  await context.close();
}

// A newer version is taken in the page that was the first of all, and in another tab while this one is being opened: it
// opens anew.
async function takenMeanwhile() {
  const { context, page, open } = await takePhone(browser, found);
  const taken = () => navigator.serviceWorker.dispatchEvent(new Event("controllerchange"));
  await open();
  await page.evaluate(() => {
    window.first = true;
  });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.waitForTimeout(300);
  found.first = await page.evaluate(() => window.first); // it was not opened anew for its own worker
  const followed = page.waitForEvent("load");
  await page.evaluate(taken);
  await followed;
  await page.waitForSelector("body[data-open]");
  await page.addInitScript(() => {
    if (sessionStorage.opened) return;
    sessionStorage.opened = "once";
    IDBFactory.prototype.open = () => new EventTarget(); // that never answers
  });
  await page.reload();
  const anew = page.waitForEvent("load");
  await page.evaluate(taken);
  await anew;
  await page.waitForSelector("body[data-open] input[type=tel]");
  await context.close();
}

// A press counts once: while its work is done, when the screen is made anew meanwhile, and until the next screen is up.
async function pressedTwice() {
  const { context, page, open } = await takePhone(browser, found);
  await open();
  found.pressed = await page.evaluate(async () => {
    const near = document.querySelector('link[href$="app/router.js"]').href;
    const { go, next, refresh, start } = await import(near);
    const pause = (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
    const press = () => document.querySelector("#action button")?.click();
    const finger = (how) => document.body.dispatchEvent(new PointerEvent(`pointer${how}`, { bubbles: true }));
    const up = async (hash) => {
      while (document.body.dataset.screen !== hash) await pause(20);
    };
    const line = (text) => Object.assign(document.createElement("p"), { textContent: text });
    let done = 0;
    let made = 0;
    const act = async () => {
      done += 1;
      await pause(300);
      go("#/next");
    };
    const here = () => ({ title: "here", live: true, body: [line(`made ${(made += 1)}`)], action: next("do it", act) });
    const there = async () => {
      await pause(300);
      return { title: "next", body: [line("there")] };
    };
    history.replaceState(null, "", "#/here");
    await start([
      [/^#\/here$/, here],
      [/^#\/next$/, there],
    ]);
    press();
    for (let n = 0; n < 10; n += 1) {
      await pause(50);
      refresh();
      press();
    }
    await up("#/next");
    const pressed = { done, made };
    // What is told while a screen is on its way does not stand in for its coming.
    history.back();
    await up("#/here");
    document.activeElement.blur();
    location.hash = "#/next";
    await pause(100);
    refresh();
    await up("#/next");
    const focus = document.activeElement.id;
    history.back();
    await up("#/here");
    // A finger that is down again: its screen stays.
    made = 0;
    for (const how of ["down", "cancel"]) finger(how);
    await pause(100);
    finger("down");
    await pause(150);
    refresh();
    const beneath = made;
    finger("up");
    await pause(400);
    return { pressed, focus, beneath, after: made };
  });
  await context.close();
}

await databaseRefused("vi");
await databaseRefused("en");
await twoVersions();
await receiptWithoutCode();
await halfLoaded();
await dutyMissing();
await screenMissing();
await takenMeanwhile();
await pressedTwice();
await browser.close();
console.log(JSON.stringify(found));
