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

await databaseRefused("vi");
await databaseRefused("en");
await twoVersions();
await receiptWithoutCode();
await browser.close();
console.log(JSON.stringify(found));
