// Drives Chromium through a courier's day in the app: every screen looked at in both languages, by axe, small and large.
import { writeFileSync } from "node:fs";
import { LANGUAGE, PICTURES, BASE, launch, newFound, takePhone } from "./courier_steps.mjs";

const { PHONE } = process.env;
const found = newFound();
const browser = await launch();
const { context, page, look, main, tap, at, saidBy, go, kept, open, askForCode, enterCode, sign, stand, doorOf } =
  await takePhone(browser, found);
process.on("uncaughtException", async (fault) => {
  console.error(
    fault,
    await page.evaluate(() => `${location.hash}\n${document.body.innerText}`).catch(String),
    found.faults,
  );
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
// The hours, reckoned without a format, are those of the browser's own.
found.hours = await page.evaluate(async () => {
  const { time } = await import(document.querySelector('link[href$="js/format.js"]').href);
  const { timezone: timeZone } = JSON.parse(document.querySelector("#told").textContent);
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  const moments = ["2026-01-01T00:00:00Z", "2026-06-30T16:59:59.9Z", "2026-06-30T23:59+07:00", "1999-12-31T17:00Z"];
  return moments.map((moment) => [time(moment), format.format(new Date(moment))]);
});

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

// Not yet sent, it can be taken back; the form is as it was.
await page.locator("#snack .snack-action").tap();
await at("sign");
found.undone = await page.locator(".pill").getAttribute("aria-label");
await page.waitForSelector("canvas.pad");
const stop = await page.evaluate(() => location.hash.split("/")[2]);
const draft = async (id) => (await kept("drafts")).find((row) => row.stop === id).value;

// A signature stands for what was signed: with a paper more it is asked for again.
found.again = [Boolean((await draft(stop)).strokes)];
await go(`#/stop/${stop}/pickup/papers`);
await page.locator(".step").nth(3).tap();
await page.locator(".step").nth(2).tap(); // and one less again
await page.waitForTimeout(200);
found.again.push(Boolean((await draft(stop)).strokes));

// Less than is due does not go on; nobody has to type what is due.
await page.fill("input[inputmode=numeric]", "1000");
found.short = [await main().innerText(), await main().getAttribute("class")];
const short = await saidBy(() => main().tap());
found.short.push(await page.evaluate(() => location.hash.split("/").at(-1)), short);
await look("short");
await page.fill("input[inputmode=numeric]", "1234567");
found.grouped = await page.inputValue("input[inputmode=numeric]");
await page.locator(".note-button").first().tap();
await page.waitForTimeout(200);
found.exact = [await page.inputValue("input[inputmode=numeric]"), (await doorOf()).requirements.fee];
await main().tap();
await at("seal");
await main().tap();
await at("sign");
await page.waitForSelector("canvas.pad");
await look("sign-again");
found.resign = await page.locator("main .notice.warn:visible").allInnerTexts();
found.resign.push(await saidBy(() => main().tap()), await page.evaluate(() => location.hash.split("/").at(-1)));
const named = (await doorOf()).documents.map(({ name }) => name);
found.unnamed = named.filter((name) => !found.shown.sign.includes(name));
await sign();

// Turned to its side and back, the whole signature is still there, and the name it was signed with makes it.
const ink = () =>
  page.evaluate(() => {
    const { width, height } = document.querySelector("canvas.pad");
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(document.querySelector("canvas.pad"), 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    const box = [width, height, 0, 0];
    for (let n = 0; n < width * height; n += 1) {
      if (data[4 * n + 3] < 128) continue;
      const [x, y] = [n % width, Math.floor(n / width)];
      [box[0], box[1], box[2], box[3]] = [
        Math.min(box[0], x),
        Math.min(box[1], y),
        Math.max(box[2], x),
        Math.max(box[3], y),
      ];
    }
    return { shape: (box[2] - box[0]) / (box[3] - box[1]), below: height - box[3], beside: width - box[2] };
  });
found.ink = [await ink()];
for (const [width, height] of [
  [740, 360],
  [360, 740],
]) {
  await page.setViewportSize({ width, height });
  await page.waitForTimeout(300);
  found.ink.push(await ink());
}
await main().tap();
await at("receipt");
await look("receipt");
await main().tap();
await at("#/stop/");

// A delivery to family, with the bag's code to be scanned and the papers counted.
const delivery = async () => {
  await page.goto(`${BASE}/courier#/`);
  await page.locator("a.stop.delivery.open").first().tap();
  await at("#/stop/");
};
await delivery();
await look("stop-delivery");
await context.setGeolocation({ latitude: 20.5, longitude: 106.3, accuracy: 20 });
await page.waitForTimeout(400);
await main().tap();
await page.waitForSelector("dialog");
await look("far-away");
await page.locator("dialog .main-action").tap();
found.far = await page.innerText("dialog .error");
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
await page.locator(".second-action").first().tap();
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
await look("sign-delivery");
found.unscanned = await page.locator("main .notice.warn:visible").allInnerTexts();
await context.setOffline(true);
found.offline = await saidBy(() => main().tap());
await at("receipt");
await look("receipt-delivery");
await go("#/queue");
found.offlineQueue = await page.innerText("main [role=status]");
await context.setOffline(false);

// Nobody home: called by the app, a reason, a photo. Three taps at the door.
await delivery();
await stand((await doorOf()).job.point);
await page.waitForTimeout(400);

// No position comes: that is said at once, and who leaves meanwhile has not arrived.
const place = await page.evaluate(() => location.hash);
await page.evaluate(() => {
  const now = Date.now;
  Object.assign(window, { now });
  Date.now = () => now() + 60_000; // the last fix is too old
  navigator.geolocation.getCurrentPosition = () => {};
});
await main().tap();
await page.waitForTimeout(200);
found.finding = await main().innerText();
await go("#/");
await page.waitForTimeout(5_500);
found.dropped = [await page.evaluate(() => location.hash), await page.locator("dialog").count()];
await page.evaluate(() => {
  Date.now = window.now;
  delete navigator.geolocation.getCurrentPosition;
});
await go(place);
found.dropped.push(await main().innerText());
await main().tap();
await at("delivery");
await page.goto(`${BASE}/courier#/stop/${await page.evaluate(() => location.hash.split("/")[2])}`);
await page.waitForSelector(".reach");
await page.locator("a.reach[href^=tel]").evaluate((element) => {
  element.removeAttribute("href");
  element.click();
});
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
await page.locator(".choice").nth(1).tap();
await main().tap();
found.giver = [await page.innerText(".error")];
await page.locator("main .field input").fill("Trần Thị Bé");
await look("giver");
await main().tap();
await at("papers");
const other = await page.evaluate(() => location.hash.split("/")[2]);
const { relationship, signer } = await draft(other);
found.giver.push(relationship, signer);

// Where nothing changes hands there is nothing to sign.
for (const less of await page.locator(".stepper .step:nth-child(2)").all()) {
  for (let n = 0; n < 3; n += 1) await less.tap();
}
await page.waitForTimeout(200);
await go(`#/stop/${other}/pickup/sign`);
await sign();
await look("sign-nothing");
found.nothing = [await main().innerText()];
await main().tap();
await at("papers");
found.nothing.push(await page.evaluate(() => location.hash.split("/").at(-1)));
found.missing = await main().innerText();
await page.locator("main .plain").first().tap();
await page.waitForSelector("dialog");
await look("extra");
await page.locator("dialog .main-action").tap();
await page.waitForSelector("dialog .error");
found.extra = await page.locator("dialog .error").allInnerTexts();
await page.locator("dialog .plain").tap();
await main().tap();
await at("failure/missing");
await look("missing");
await page.locator("#action .second-action").tap();
await at("slip");
await look("slip");

// Everywhere else.
for (const [hash, name] of [
  ["#/map", "map"],
  ["#/office", "office"],
  ["#/queue", "queue"],
  ["#/me", "me"],
  ["#/traccar", "traccar"],
  ["#/trouble/key", "key"],
  ["#/trouble/full", "full"],
]) {
  await page.goto(`${BASE}/courier${hash}`);
  await page.waitForTimeout(name === "map" ? 4000 : 600);
  await look(name);
}
await page.goto(`${BASE}/courier#/office`);
await page.locator("main .second-action").first().tap();
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
await at("#/handed/");
await page.waitForTimeout(300);
await look("handed");
await page.locator(".papers a").first().tap();
await at("#/receipt/");
await look("receipt-office");
await main().tap();
await at("#/handed/");
await main().tap();
await at("office$");
await look("handed-over");
await page.waitForFunction(() => !document.querySelector("#pill").classList.contains("waiting"), null, {
  timeout: 60_000,
});
await page.goto(`${BASE}/courier#/queue`);
await page.waitForSelector("details");
await page.locator("details summary").tap();
await look("queue-sent");
await page.locator("details .text-link").first().tap();
await at("remark");
await look("remark");
found.problems = await page.evaluate(async () => {
  const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
  return (await (await openDatabase()).done.toArray())
    .filter(({ state }) => state !== "applied")
    .map(({ typ, state, code, detail }) => [typ, state, code, detail]);
});
writeFileSync(`${PICTURES}/courier-${LANGUAGE}.json`, JSON.stringify(found, null, 1));
console.log(JSON.stringify(found));
await browser.close();
