// Drives Chromium over the courier's map on a bare page: shown, tapped, tabbed through, changed, without a network, and
// without WebGL. Takes pictures, and prints what it found as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { BASE, MODULES, AXE, PICTURES, CHROMIUM } = process.env;
const DRAWS = [
  "--no-sandbox",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--disable-background-networking",
];
const DOES_NOT = ["--no-sandbox", "--disable-3d-apis", "--disable-background-networking"];
const found = { faults: [], outside: [], labels: {}, small: [], axe: [], told: [] };

async function visit(browser, language, options, work) {
  const context = await browser.newContext({
    viewport: { width: 360, height: 640 },
    locale: language,
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const asked = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && found.faults.push(message.text()));
  page.on("pageerror", (fault) => found.faults.push(fault.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
    if (url.includes("/tiles/")) asked.push(url);
  });
  await page.goto(`${BASE}/test/map?lang=${language}`);
  await page.evaluate(async (modules) => {
    const { showMap } = await import(`${modules}/view.js`);
    const box = document.querySelector("#box");
    const day = JSON.parse(document.querySelector("#day").textContent);
    globalThis.told_ = [];
    globalThis.open = (more = {}) => {
      globalThis.shown = showMap(box, {
        round: day.round,
        stops: day.stops,
        next: day.stops[2],
        onStop: (id) => told_.push(id),
        ...more,
      });
      return null;
    };
    Object.assign(globalThis, { day });
  }, MODULES);
  await work(page, asked).catch((fault) => {
    console.error(found.faults, asked.length);
    throw fault;
  });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) found.faults.push(`${wider} px too wide`);
  await context.close();
}

const picture = (page, name) => page.screenshot({ path: `${PICTURES}/round-map-${name}.png` });
const drawn = (page) => page.locator("#box .canvas").screenshot(); // without the buttons: one is under the mouse
const atRest = async (page) => {
  await page.waitForSelector("#box .canvas[data-view]");
  await page.waitForTimeout(300); // a button that was just pressed has moved the map by now, if it does
  await page.waitForSelector("#box .canvas[data-view]");
};
const view = async (page) => (await page.getAttribute("#box .canvas", "data-view")).split(" ").map(Number);
const labels = (page) =>
  page.locator(".map-stop").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
const ME =
  "{ lon: day.stops[2].stop.job.point.lon + 0.0015, lat: day.stops[2].stop.job.point.lat - 0.001, accuracy: 60 }";

async function look(page, name) {
  found.small.push(
    ...(await page.locator("#box button").evaluateAll((all) =>
      all
        .filter((one) => {
          const { width, height } = one.getBoundingClientRect();
          return width < 48 || height < 48;
        })
        .map((one) => one.outerHTML),
    )),
  );
  await page.evaluate(readFileSync(AXE, "utf8"));
  const { violations } = await page.evaluate(() => axe.run("#box"));
  found.axe.push(...violations.map(({ id, nodes }) => `${name}: ${id} ${nodes[0].html}`));
}

let browser = await chromium.launch({ executablePath: CHROMIUM, args: DRAWS });
for (const [language, colorScheme] of [
  ["vi", "light"],
  ["vi", "dark"],
  ["en", "light"],
]) {
  await visit(browser, language, { colorScheme }, async (page) => {
    await page.evaluate(`open({ me: ${ME} })`);
    await atRest(page);
    await picture(page, `${language}-${colorScheme}`);
    found.labels[`${language}-${colorScheme}`] = {
      region: await page.getAttribute("#box", "aria-label"),
      stops: await labels(page),
      me: await page.getAttribute(".map-me", "aria-label"),
      legend: await page.textContent(".map-legend"),
    };
    await look(page, `${language}-${colorScheme}`);
    await page.click(".map-buttons button:nth-child(2)");
    await atRest(page);
    await picture(page, `${language}-${colorScheme}-next`);
  });
}

await visit(browser, "vi", {}, async (page) => {
  await page.evaluate("open()");
  await atRest(page);
  const whole = await view(page);
  found.withoutMe = await page.getAttribute(".map-buttons button:nth-child(3)", "aria-disabled");
  await page.locator(".map-stop").nth(2).click();
  await page.locator(".map-stop").first().focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  found.told = await page.evaluate("told_.map((id) => day.stops.findIndex(({ stop }) => stop.id === id))");

  await page.evaluate(`shown.update({ me: ${ME} })`);
  await page.click(".map-buttons button:nth-child(3)");
  await atRest(page);
  const [lon, lat, zoom] = await view(page);
  found.atMe = await page.evaluate(`(({ lon, lat }) => [lon - ${lon}, lat - ${lat}])(${ME})`);
  found.nearer = zoom - whole[2];
  await page.click(".map-buttons button:nth-child(1)");
  await atRest(page);
  const again = await view(page);
  found.wholeAgain = whole.map((value, n) => Math.abs(value - again[n]));

  await page.evaluate(
    "shown.update({ stops: day.stops.map((one, n) => n === 2 ? { ...one, state: 'failed' } : one), next: day.stops[3], me: null })",
  );
  found.changed = {
    focused: await page.evaluate("document.activeElement.isConnected"),
    stops: await labels(page),
    marks: await page.locator(".map-stop .face").allInnerTexts(),
    next: await page.locator(".map-stop.next[aria-current=step]").count(),
    me: await page.locator(".map-me").count(),
  };
  await page.evaluate("shown.update({ stops: day.stops.slice(3), next: null })");
  found.fewer = (await labels(page)).length;
  await page.evaluate("shown.remove()");
  found.removed = await page.evaluate("document.querySelector('#box').childElementCount");
  await page.evaluate("open(); shown.remove(); open()");
  await atRest(page);
  found.onceAgain = await page.locator("#box canvas").count();
});

// What is kept is drawn without a network, as it is with one; what is not kept is asked for. Scripts come from a service
// worker, as in the app; it knows nothing of tiles.
await visit(browser, "vi", {}, async (page, asked) => {
  await page.evaluate(async () => {
    const controlled = new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
    await navigator.serviceWorker.register("/test-worker.js");
    await controlled;
  });
  await page.evaluate("open()");
  await atRest(page);
  const online = await drawn(page);
  await page.click(".map-buttons button:nth-child(2)");
  await atRest(page);
  const near = await drawn(page);
  await page.evaluate("shown.remove()");
  found.kept = await page.evaluate(async (modules) => {
    const { tilesOf, wayOf } = await import(`${modules}/tiles.js`);
    const { told } = await import(`${modules}/../../told.js`);
    const urls = tilesOf(
      wayOf({ line: day.round.line, stops: day.stops.map(({ stop }) => stop), office: day.round.office }),
      { template: told.tiles, bounds: told.bounds },
    );
    await (await caches.open("courier-tiles")).addAll(urls);
    return urls.length;
  }, MODULES);
  await page.context().setOffline(true);
  await page.route("**/tiles/**", (route) => route.abort());
  asked.length = 0;
  await page.evaluate("open()");
  await atRest(page);
  found.same = [online.equals(await drawn(page))];
  await picture(page, "offline");
  await page.click(".map-buttons button:nth-child(2)");
  await atRest(page);
  found.same.push(near.equals(await drawn(page)));
  await picture(page, "offline-next");
  for (let n = 0; n < 3; n += 1) {
    // as near as it goes
    await page.click(".maplibregl-ctrl-zoom-in");
    await atRest(page);
  }
  found.askedOffline = asked.length;
  const before = found.faults.length;
  found.noted = await page.textContent(".map-note");
  await page.evaluate("shown.remove(); caches.delete('courier-tiles').then(() => open())");
  await page.waitForFunction(() => document.querySelector(".map-note").textContent.startsWith("Chưa"));
  found.bare = [await page.textContent(".map-note")];
  found.askedWithout = asked.length;
  found.differs = !online.equals(await drawn(page));
  found.stopsWithout = (await labels(page)).length;
  found.faults.length = before; // a tile that cannot be had is said on the console
});
await visit(browser, "vi", {}, async (page) => {
  await page.evaluate(() => {
    // MapLibre's own worker is not on the phone
    const { Worker } = globalThis;
    globalThis.Worker = class extends Worker {
      constructor(_, options) {
        super("/assets/own/x/nothing.mjs", options);
      }
    };
    open();
  });
  await page.waitForSelector(".map-stop.next");
  await page.waitForFunction(() => document.querySelector(".map-note").textContent.startsWith("Chưa"));
  found.bare.push(await page.textContent(".map-note"));
  found.stopsWithout += (await labels(page)).length;
  found.faults = found.faults.filter((text) => !/Worker failed|404/.test(text));
});
await browser.close();

browser = await chromium.launch({ executablePath: CHROMIUM, args: DOES_NOT });
await visit(browser, "vi", {}, async (page) => {
  await page.evaluate("open()");
  await page.waitForSelector(".map-list");
  found.faults = found.faults.filter((text) => !/WebGL|webgl/.test(text));
  await picture(page, "list");
  await look(page, "list");
  await page.locator(".map-list button").nth(1).click();
  await page.evaluate("shown.update({ next: day.stops[4] })");
  found.list = {
    note: await page.textContent(".map-note"),
    rows: await page.locator(".map-list button").allInnerTexts(),
    next: await page.textContent(".map-list .next"),
    told: await page.evaluate("told_.length"),
  };
});
await browser.close();
console.log(JSON.stringify(found));
