// Drives Chromium through the page that checks receipts, on and off the network, and prints what it found as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { BASE, PICTURES, CHROMIUM } = process.env;
const { good, late, changed, stranger, photos, rubbish, seen } = JSON.parse(readFileSync(0));
const SIZES = { phone: [360, 740], desk: [1280, 800] };
const SWITCHES = ["--no-sandbox", "--disable-background-networking", "--use-fake-ui-for-media-stream"];
const found = { faults: [], outside: [], sent: [], shown: {}, small: [], bare: [] };
const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });

async function visit({ language = "vi", size = SIZES.phone, ...options }, work) {
  const [width, height] = size;
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language,
    reducedMotion: "reduce",
    permissions: ["camera"],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  page.on("pageerror", (fault) => faults.push(fault.message));
  context.on("request", (request) => {
    const url = request.url();
    found.sent.push(url.split("#")[0]);
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
  });
  await work(page, context);
  if (options.javaScriptEnabled !== false) await inspect(page, width);
  // Chromium itself writes a line for a 404, and for what fails while there is no network.
  found.faults.push(...faults.filter((text) => !/Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(text)));
  await context.close();
}

// What a reader with thick fingers, a small screen or a screen reader needs.
async function inspect(page, width) {
  const looks = await page.evaluate(() => {
    const visible = (element) => element.getClientRects().length > 0;
    const kinds = "main a, main button, main summary, main textarea, main label.way";
    const controls = [...document.querySelectorAll(kinds)].filter(visible);
    const fields = [...document.querySelectorAll("input, textarea, video")];
    const named = (e) => e.labels?.length || e.getAttribute("aria-label");
    return {
      wider: document.documentElement.scrollWidth - innerWidth,
      small: controls.filter((e) => e.getBoundingClientRect().height < 48).map((e) => e.outerHTML.slice(0, 80)),
      bare: [...fields, ...controls].filter((e) => !named(e) && !e.textContent.trim()).map((e) => e.outerHTML),
      headings: document.querySelectorAll("h1").length,
    };
  });
  if (looks.wider > 0) found.faults.push(`${looks.wider} px too wide at ${width}`);
  if (looks.headings !== 1) found.faults.push(`${looks.headings} main headings`);
  found.small.push(...looks.small);
  found.bare.push(...looks.bare);
}

const picture = (page, name) => page.screenshot({ path: `${PICTURES}/verify-${name}.png`, fullPage: true });
const open = (page, digits, address = "/verify") => page.goto(`${BASE}${address}${digits ? `#${digits}` : ""}`);

async function verdict(page, expected) {
  await page.waitForSelector(`#verdict[data-verdict="${expected}"]`, { state: "visible" });
  return {
    verdict: expected,
    words: await page.innerText("#verdict-words"),
    text: await page.innerText("#result"),
    news: await page.textContent("#news"),
  };
}

async function pasted(page, text) {
  if (!(await page.isVisible("#text"))) await page.click(".paste summary");
  await page.fill("#text", text);
  await page.click("#paste button");
}

for (const language of ["vi", "en"]) {
  for (const [name, size] of Object.entries(SIZES)) {
    await visit({ language, size }, async (page) => {
      await open(page);
      await page.waitForSelector("#saved", { state: "visible" });
      await picture(page, `start-${language}-${name}`);
      await pasted(page, good);
      found.shown[`good-${language}-${name}`] = await verdict(page, "recorded");
      await picture(page, `recorded-${language}-${name}`);
      const wrong = [
        ["late", late, "expired"],
        ["changed", changed, "changed"],
        ["stranger", stranger, "unknown_key"],
      ];
      for (const [kind, text, expected] of wrong) {
        await pasted(page, text);
        found.shown[`${kind}-${language}-${name}`] = await verdict(page, expected);
        if (kind !== "stranger") await picture(page, `${kind}-${language}-${name}`);
      }
    });
  }
}

// From the address, in capitals as printed; the other language one click away; then without a network.
await visit({}, async (page, context) => {
  await open(page, good, "/VERIFY");
  found.shown.address = await verdict(page, "recorded");
  await page.waitForSelector("#saved", { state: "visible" });
  await page.click(".language");
  found.shown.english = await verdict(page, "recorded");
  await context.setOffline(true);
  await page.reload();
  await page.locator("#checks li:last-child", { hasText: "offline" }).waitFor();
  found.shown.offline = await verdict(page, "genuine");
  found.offlineSaid = await page.innerText("#offline");
  await picture(page, "offline-en-phone");
  await page.click(".language");
  found.shown.offlineVietnamese = await verdict(page, "genuine");
  await page.setInputFiles("#photo", photos[0]);
  found.shown.offlinePhoto = await verdict(page, "genuine");
  await page.goto(`${BASE}/verify`);
  await page.waitForSelector("#tools", { state: "visible" });
  found.remembered = await page.getAttribute("html", "lang");
});

// Photos, rubbish, and the keyboard alone.
await visit({}, async (page) => {
  await open(page);
  found.photos = [];
  for (const photo of photos) {
    await page.setInputFiles("#photo", photo);
    await page.waitForFunction(() => location.hash.length > 100 && !document.querySelector("#result").hidden);
    found.photos.push(await page.getAttribute("#verdict", "data-verdict"));
    await page.evaluate(() => {
      location.hash = "main";
      document.querySelector("#result").hidden = true;
    });
  }
  await page.setInputFiles("#photo", rubbish);
  found.shown.unreadable = await verdict(page, "unreadable");
  await picture(page, "unreadable-vi-phone");
  await pasted(page, "xin chào");
  found.shown.rubbish = await verdict(page, "not_ours");
  found.focused = await page.evaluate(() => document.activeElement.id);
  await picture(page, "not-ours-vi-phone");
  await page.fill("#text", " ");
  await page.press("#text", "Tab");
  await page.keyboard.press("Enter");
  found.empty = [await page.innerText("#text-error"), await page.evaluate(() => document.activeElement.id)];
});

// A camera that is not there, then one that sees nothing.
await visit({}, async (page) => {
  await open(page);
  await page.click("#scan");
  await page.waitForFunction(() => document.querySelector("#fault").textContent);
  found.noCamera = await page.innerText("#fault");
  await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const pen = canvas.getContext("2d");
    setInterval(() => pen.fillRect(0, 0, 640, 480), 50);
    globalThis.given = canvas.captureStream(20);
    navigator.mediaDevices.getUserMedia = async () => globalThis.given;
  });
  await page.click("#scan");
  await page.waitForFunction(() => document.querySelector("#video").videoWidth > 0);
  await picture(page, "camera-vi-phone");
  await page.click("#stop");
  await page.waitForSelector("#camera", { state: "hidden" });
  const ended = () => globalThis.given.getTracks().every((track) => track.readyState === "ended");
  found.cameraOff = await page.evaluate(ended);
  await page.evaluate(async (source) => {
    const image = Object.assign(new Image(), { src: source });
    await image.decode();
    const { width, height } = image;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    setInterval(() => canvas.getContext("2d").drawImage(image, 0, 0), 50);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);
  }, seen);
  await page.click("#scan");
  found.shown.camera = await verdict(page, "recorded");
});

// Small and with letters twice as large; dark; and without scripts.
await visit({ size: [320, 640] }, async (page) => {
  await open(page, good);
  await verdict(page, "recorded");
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "200%";
  });
  await page.click(".paste summary");
  await picture(page, "recorded-vi-large-letters");
});
await visit({ colorScheme: "dark" }, async (page) => {
  await open(page, late);
  await verdict(page, "expired");
  await picture(page, "late-vi-dark");
  await pasted(page, good);
  await verdict(page, "recorded");
  await picture(page, "recorded-vi-dark");
});
await visit({ javaScriptEnabled: false }, async (page) => {
  await open(page, good);
  found.withoutScripts = await page.innerText("main");
  await picture(page, "without-scripts-vi-phone");
});

// The operator takes a new key: the page knows it at the next visit, and then offline too.
await visit({}, async (page, context) => {
  const versions = async () => (await caches.keys()).filter((name) => name !== "verify-language").join();
  const kept = () => page.evaluate(versions);
  await open(page, stranger);
  await verdict(page, "unknown_key");
  await page.waitForSelector("#saved", { state: "visible" });
  const before = await kept();
  await context.request.get(`${BASE}/rotate`);
  await page.reload();
  await verdict(page, "genuine");
  while ((await kept()) === before || (await kept()).includes(",")) await page.waitForTimeout(100);
  await page.waitForFunction(async () => {
    const { active, waiting, installing } = await navigator.serviceWorker.getRegistration();
    return active?.state === "activated" && !waiting && !installing;
  });
  await context.setOffline(true);
  await page.reload();
  await page.locator("#offline").waitFor();
  found.shown.newKey = await verdict(page, "genuine");
});
await browser.close();
found.leaked = found.sent.filter((url) => url.includes(good.slice(0, 40)));
delete found.sent;
console.log(JSON.stringify(found));
