// Drives Chromium through the first page and the tracking pages, takes pictures, and prints what it found as JSON.
import { chromium } from "playwright-core";

const { BASE, TOKEN, LINK, PICTURES, CHROMIUM } = process.env;
const SIZES = { phone: [360, 740], desk: [1440, 900] };
const SWITCHES = [
  "--no-sandbox",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--disable-background-networking",
];
const found = { faults: [], outside: [], shown: {} };
const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });

async function visit(language, size, options, work) {
  const [width, height] = size;
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language,
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && found.faults.push(message.text()));
  page.on("pageerror", (fault) => found.faults.push(fault.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
  });
  await work(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) found.faults.push(`${page.url().split("#")[0]} is ${wider} px too wide at ${width}`);
  await context.close();
}

const picture = (page, name) => page.screenshot({ path: `${PICTURES}/map-${name}.png` });
const atRest = (page) => page.waitForSelector("#map[data-view]");

async function openDay(page) {
  await page.goto(`${BASE}/#token=${TOKEN}`);
  await page.waitForSelector("#list button");
  await atRest(page);
}

async function shownRound(page) {
  await page.waitForSelector("#stops .stop-entry");
  return {
    courier: await page.textContent("#round h2"),
    stops: await page.locator("#stops .stop-entry").allInnerTexts(),
    numbers: await page.locator("#stops .number").allInnerTexts(),
    notice: await page.textContent("#notice"),
    focused: await page.evaluate(() => document.activeElement.tagName),
  };
}

// Where on the screen a place of the map is: Web Mercator with 512 pixels for the world at zoom 0.
function onScreen([lon, lat], [centreLon, centreLat, zoom], box) {
  const world = 512 * 2 ** zoom;
  const north = (degrees) => Math.log(Math.tan(Math.PI / 4 + (degrees * Math.PI) / 360)) / (2 * Math.PI);
  return [
    box.x + box.width / 2 + ((lon - centreLon) / 360) * world,
    box.y + box.height / 2 - (north(lat) - north(centreLat)) * world,
  ];
}

async function clickLine(page) {
  const line = await page.evaluate(async (token) => {
    const headers = { Authorization: `Bearer ${token}`, Accept: "application/geo+json" };
    const { features } = await (await fetch("/api/v1/dispatchers/rounds", { headers })).json();
    return features[0].geometry.coordinates;
  }, TOKEN);
  const view = (await page.getAttribute("#map", "data-view")).split(" ").map(Number);
  const box = await page.locator("#map").boundingBox();
  await page.mouse.click(...onScreen(line[Math.floor(line.length / 2)], view, box));
}

for (const language of ["vi", "en"]) {
  for (const [name, size] of Object.entries(SIZES)) {
    await visit(language, size, {}, async (page) => {
      await openDay(page);
      if (page.url() !== `${BASE}/`) found.faults.push("the token stays in the address bar");
      await picture(page, `day-${language}-${name}`);
      await page.focus("#list button");
      await page.keyboard.press("Enter");
      found.shown[`${language}-${name}`] = await shownRound(page);
      await atRest(page);
      await picture(page, `round-${language}-${name}`);
    });
  }
}

await visit("vi", SIZES.desk, {}, async (page) => {
  await openDay(page);
  await clickLine(page);
  found.shown.clicked = await shownRound(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#list button:focus");
  await page.fill("#find", "khong co ai");
  await page.waitForSelector("#list .nothing");
  await page.click("#sign-out");
  await page.waitForSelector("#number");
  found.signedOut = await page.evaluate(() => sessionStorage.length === 0 && document.querySelector("#rounds").hidden);
});
await visit("vi", [320, 640], {}, async (page) => {
  await page.goto(BASE);
  await atRest(page);
  await picture(page, "home-vi-small");
});
await visit("en", SIZES.desk, {}, async (page) => {
  await page.goto(`${BASE}/api/docs`);
  await page.waitForSelector(".opblock-tag");
  await picture(page, "docs");
});
await visit("vi", SIZES.phone, { javaScriptEnabled: false }, async (page) => {
  await page.goto(BASE + LINK);
  found.tracked = await page.textContent("h1");
  await picture(page, "tracking-vi-phone");
});
await browser.close();
console.log(JSON.stringify(found));
