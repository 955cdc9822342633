// Drives Chromium through a courier's day in the app: every screen looked at in both languages, by axe, small and large.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const { BASE, PHONE, SMS, PICTURES, CHROMIUM, LANGUAGE = "vi" } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SWITCHES = [
  "--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];
const found = { faults: [], outside: [], axe: [], small: [], wide: [], empty: [], taps: 0, screens: [], shown: {} };
const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });
const context = await browser.newContext({
  viewport: { width: 360, height: 740 }, locale: LANGUAGE, reducedMotion: "reduce", hasTouch: true, isMobile: true, deviceScaleFactor: 2,
  permissions: ["geolocation", "camera"], geolocation: { latitude: 20.66, longitude: 106.06, accuracy: 12 },
});
context.setDefaultTimeout(20_000);
context.on("console", (message) => {
  if (!["error", "warning"].includes(message.type()) || /Failed to load resource|net::ERR_|GPU stall|GL Driver/.test(message.text())) return;
  found.faults.push(message.text());
});
context.on("weberror", (fault) => found.faults.push(fault.error().stack ?? fault.error().message));
context.on("request", (request) => {
  const url = request.url();
  if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
});
const page = await context.newPage();
process.on("uncaughtException", async (fault) => {
  console.error(fault, await page.evaluate(() => `${location.hash}\n${document.body.innerText}`).catch(String), found.faults);
  await page.screenshot({ path: `${PICTURES}/courier-fault.png` }).catch(() => {});
  process.exit(1);
});

// --- looking ---------------------------------------------------------------------------------------------------------

async function look(name) {
  await page.waitForTimeout(120);
  found.screens.push(name);
  await page.screenshot({ path: `${PICTURES}/courier-${name}-${LANGUAGE}.png`, fullPage: true });
  const text = await page.innerText("body");
  for (const gap of text.match(/\{\w+\}|undefined|\[object|NaN|…\s*$/g) ?? []) found.empty.push(`${name}: ${gap}`);
  found.shown[name] = text;
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, nodes } of violations) found.axe.push(`${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(" | ")}`);
  await fits(name);
}

async function fits(name) {
  for (const [width, text] of [[360, "100%"], [320, "100%"], [360, "200%"]]) {
    await page.setViewportSize({ width, height: 740 });
    const looks = await page.evaluate((size) => {
      document.documentElement.style.fontSize = size;
      const seen = (element) => element.getClientRects().length > 0 && !element.closest(".unseen, .skip");
      const target = (element) => element.closest("label") ?? element;
      const controls = [...document.querySelectorAll("a, button, summary, textarea, input, select, label.file")].filter(seen);
      return {
        wider: document.documentElement.scrollWidth - innerWidth,
        small: controls.map(target).filter((element) => {
          const { width: w, height: h } = element.getBoundingClientRect();
          return seen(element) && (h < 47.5 || w < 47.5) && !element.closest(".maplibregl-map");
        }).map((element) => element.outerHTML.slice(0, 100)),
      };
    }, text);
    if (looks.wider > 0) found.wide.push(`${name} at ${width}, ${text}: ${looks.wider} px too wide`);
    found.small.push(...looks.small.map((one) => `${name}: ${one}`));
    if (width === 320 || text === "200%") await page.screenshot({ path: `${PICTURES}/courier-${name}-${LANGUAGE}-${width}-${text.replace("%", "")}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
}

// --- doing -----------------------------------------------------------------------------------------------------------

const main = () => page.locator("#action .main-action:visible").first();
const tap = async (locator) => { found.taps += 1; await locator.tap(); };
const at = (hash) => page.waitForFunction((wanted) => new RegExp(wanted).test(location.hash), hash);
const code = () => /\b\d{6}\b/.exec(JSON.parse(readFileSync(SMS, "utf8").trim().split("\n").at(-1)).text)[0];

async function sign() {
  await page.locator("canvas.pad").scrollIntoViewIfNeeded();
  const box = await page.locator("canvas.pad").boundingBox();
  for (const [from, to] of [[0.2, 0.5], [0.4, 0.8]]) {
    await page.mouse.move(box.x + box.width * from, box.y + box.height * 0.5);
    await page.mouse.down();
    for (let n = 1; n <= 12; n += 1) await page.mouse.move(box.x + box.width * (from + ((to - from) * n) / 12), box.y + box.height * (0.5 + 0.2 * Math.sin(n)));
    await page.mouse.up();
  }
}

async function stand(stop) {
  const { lat, lon } = stop;
  await context.setGeolocation({ latitude: lat, longitude: lon, accuracy: 9 });
}

await page.goto(`${BASE}/courier?lang=${LANGUAGE}`);
await page.waitForSelector("body[data-open]");
await look("sign-in");
await page.fill("input[type=tel]", PHONE);
await tap(main());
await page.waitForSelector("input[inputmode=numeric]");
await look("code");
await page.fill("input[inputmode=numeric]", code());
await tap(main());
await at("#/ready");
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
const doorOf = async () => page.evaluate(async () => {
  const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
  const rounds = (await (await openDatabase()).facts.toArray()).filter(({ key }) => key.startsWith("round:"));
  const id = location.hash.split("/")[2];
  return rounds.flatMap(({ value }) => value.doors).find((door) => door.id === id).job.point;
});
await stand(await doorOf());
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
await stand(await doorOf());
await page.waitForTimeout(400);
await main().tap();
await at("delivery");
await page.goto(`${BASE}/courier#/stop/${await page.evaluate(() => location.hash.split("/")[2])}`);
await page.waitForSelector(".reach");
await page.locator("a.reach[href^=tel]").evaluate((element) => { element.removeAttribute("href"); element.click(); });
await page.waitForSelector(".reaches + .soft");
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
await stand(await doorOf());
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
