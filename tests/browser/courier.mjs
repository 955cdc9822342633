// Drives Chromium through a courier's day in the app: every screen looked at in both languages, by axe, small and large.
import { writeFileSync } from "node:fs";
import { LANGUAGE, PICTURES, BASE, launch, newFound, takePhone } from "./courier_steps.mjs";

const { PHONE } = process.env;
const found = newFound();
const browser = await launch();
const { context, page, look, main, tap, at, open, askForCode, enterCode, sign, stand, doorOf } = await takePhone(browser, found);
process.on("uncaughtException", async (fault) => {
  console.error(fault, await page.evaluate(() => `${location.hash}\n${document.body.innerText}`).catch(String), found.faults);
  await page.screenshot({ path: `${PICTURES}/courier-fault.png` }).catch(() => {});
  process.exit(1);
});

await open();
await look("sign-in");
await askForCode(PHONE);
await look("code");
await enterCode(PHONE);
await look("ready-first");
await tap(main());
await page.waitForFunction(() => document.querySelectorAll(".checklist .good").length > 6, null, { timeout: 30_000 });
await look("ready");
await tap(main());
await at("#/$");
await page.waitForSelector(".stops");
await look("round");

// A plain pickup, its taps counted; typing and signing are none.
const first = page.locator("a.stop.pickup.open").first();
await first.tap();
await at("#/stop/");
await look("stop");
found.taps = 0;
await stand((await doorOf()).job.point);
await tap(main());
await at("pickup");
await look("who");
await tap(main());
await at("papers");
await look("papers");
await tap(main());
await at("seal");
await page.waitForTimeout(1500);
await look("seal");
await page.fill("input[autocapitalize=characters]", "NS-004217");
await tap(main());
await at("sign");
await page.waitForSelector("canvas.pad");
await sign();
await look("sign");
await tap(main());
await at("receipt");
found.plain = found.taps;
await look("receipt");


// Not yet sent, it can be taken back; the form is as it was.
await page.locator("#snack .snack-action").tap();
await at("sign");
found.undone = await page.locator(".pill").getAttribute("aria-label");
await page.waitForSelector("canvas.pad");
await main().tap();
await at("receipt");
await main().tap();
await at("#/stop/");

// A delivery to family, with the bag's code to be scanned and the papers counted.
const delivery = async () => { await page.goto(`${BASE}/courier#/`); await page.locator("a.stop.delivery.open").first().tap(); await at("#/stop/"); };
await delivery();
await look("stop-delivery");
await context.setGeolocation({ latitude: 20.5, longitude: 106.3, accuracy: 20 });
await page.waitForTimeout(400);
await main().tap();
await page.waitForSelector("dialog");
await look("far-away");
await page.locator("dialog input").nth(1).check({ force: true });
await page.locator("dialog .main-action").tap();
await at("delivery");
await page.waitForSelector(".choices");
await page.locator(".choice").nth(1).tap();
await look("receiver");
await main().tap();
await page.waitForSelector(".error");
found.receiverMissing = await page.innerText(".error");
await page.locator(".choice").nth(0).tap();
await main().tap();
await at("who");
await page.locator(".second-action").tap();
await page.waitForSelector("dialog video");
await page.waitForTimeout(800);
await look("scan-card");
await page.locator("dialog .plain").tap();
await main().tap();
await at("papers");
await look("give");
await page.locator(".step").first().tap();
await page.waitForTimeout(100);
found.differs = await main().innerText();
await main().tap();
await page.waitForSelector("dialog");
await look("differs");
await page.locator("dialog .main-action").tap();
await page.locator(".step").nth(1).tap();
await main().tap();
await at("sign");
await page.waitForSelector("canvas.pad");
await sign();
await main().tap();
await at("receipt");

// Nobody home: called by the app, a reason, a photo. Three taps at the door.
await delivery();
await stand((await doorOf()).job.point);
await page.waitForTimeout(400);
await main().tap();
await at("delivery");
await page.goto(`${BASE}/courier#/stop/${await page.evaluate(() => location.hash.split("/")[2])}`);
await page.waitForSelector(".reach");
await page.locator("a.reach[href^=tel]").evaluate((element) => { element.removeAttribute("href"); element.click(); });
await page.waitForSelector(".called");
found.taps = 0;
await tap(page.locator("#action .second-action"));
await at("failure$");
await look("reasons");
await tap(page.locator(".reasons a").first());
await page.waitForTimeout(1500);
await look("failure");
await tap(main());
await at("#/$");
found.failure = found.taps;

// A paper is missing: the supplement slip.
await page.locator("a.stop.pickup.open").first().tap();
await at("#/stop/");
await stand((await doorOf()).job.point);
await page.waitForTimeout(400);
await main().tap();
await at("pickup");
await main().tap();
await at("papers");
await page.locator(".step").first().tap();
await page.waitForTimeout(100);
found.missing = await main().innerText();
await page.locator("main .plain").first().tap();
await page.waitForSelector("dialog");
await look("extra");
await page.locator("dialog .plain").tap();
await main().tap();
await at("failure/missing");
await look("missing");
await page.locator("#action .second-action").tap();
await at("slip");
await look("slip");

// Everywhere else.
for (const [hash, name] of [["#/map", "map"], ["#/office", "office"], ["#/queue", "queue"], ["#/me", "me"], ["#/traccar", "traccar"], ["#/trouble/key", "key"], ["#/trouble/full", "full"]]) {
  await page.goto(`${BASE}/courier${hash}`);
  await page.waitForTimeout(name === "map" ? 4000 : 600);
  await look(name);
}
await page.goto(`${BASE}/courier#/office`);
await page.locator("main .plain").first().tap();
await main().tap();
await at("office/sign");
await page.waitForSelector("canvas.pad");
await look("clerk-signs");
await main().tap();
await page.locator(".choice").first().tap();
const owed = await page.locator(".field .hint").innerText();
await page.fill("input[inputmode=numeric]", owed.replace(/\D/g, ""));
await sign();
await main().tap();
await at("office$");
await page.waitForTimeout(300);
await look("handed-over");
await page.waitForFunction(() => !document.querySelector("#pill").classList.contains("waiting"), null, { timeout: 60_000 });
await page.goto(`${BASE}/courier#/queue`);
await page.waitForSelector("details");
await page.locator("details summary").tap();
await look("queue-sent");
await page.locator("details .text-link").first().tap();
await at("remark");
await look("remark");
found.problems = await page.evaluate(async () => {
  const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
  return (await (await openDatabase()).done.toArray()).filter(({ state }) => state !== "applied").map(({ typ, state, code, detail }) => [typ, state, code, detail]);
});
writeFileSync(`${PICTURES}/courier-${LANGUAGE}.json`, JSON.stringify(found, null, 1));
console.log(JSON.stringify(found));
await browser.close();
