// Drives Chromium through the page of cases: signs in, looks, decides, in two tabs, with lost answers and lost keys.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { BASE, TOKEN, PHONE, NOTE, SMS, PICTURES, CHROMIUM } = process.env;
const SIZES = { phone: [360, 740], desk: [1280, 800] };
const SWITCHES = [
  "--no-sandbox",
  "--disable-background-networking",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];
const found = { faults: [], outside: [], shown: {}, small: [], bare: [], kids: [] };
const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });

async function visit({ language = "vi", size = SIZES.phone, ...options }, work) {
  const [width, height] = size;
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language,
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(15_000);
  context.on("console", (message) => {
    // Chromium itself writes a line for every answer that is an error, and for what fails on the way.
    if (!["error", "warning"].includes(message.type()) || /Failed to load resource|net::ERR_/.test(message.text()))
      return;
    found.faults.push(message.text());
  });
  context.on("weberror", (fault) => found.faults.push(fault.error().message));
  context.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
  });
  const page = await context.newPage();
  await work(page, context);
  await context.close();
}

// What a reader with thick fingers, a small screen or a screen reader needs.
async function inspect(page) {
  const looks = await page.evaluate(() => {
    const visible = (element) => element.getClientRects().length > 0;
    const controls = [...document.querySelectorAll("a:not(.skip), button, summary, textarea, input")].filter(visible);
    const named = (e) => e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim();
    return {
      wider: document.documentElement.scrollWidth - innerWidth,
      small: controls.filter((e) => e.getBoundingClientRect().height < 48).map((e) => e.outerHTML.slice(0, 90)),
      bare: controls.filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 90)),
      headings: [...document.querySelectorAll("h1")].filter(visible).length,
    };
  });
  if (looks.wider > 0) found.faults.push(`${looks.wider} px too wide: ${page.url()}`);
  if (looks.headings !== 1) found.faults.push(`${looks.headings} main headings: ${page.url()}`);
  found.small.push(...looks.small);
  found.bare.push(...looks.bare);
}

async function picture(page, name) {
  await inspect(page);
  await page.mouse.move(1, 1); // or something looks chosen
  await page.screenshot({ path: `${PICTURES}/cases-${name}.png`, fullPage: true });
}

function lastCode() {
  const { text } = JSON.parse(readFileSync(SMS, "utf8").trim().split("\n").at(-1));
  return /\b\d{6}\b/.exec(text)[0];
}

async function signIn(page) {
  await page.request.get(`${BASE}/test/older`);
  await page.fill("#phone", PHONE);
  await page.click("#phone-form button");
  await page.waitForSelector("#code:focus");
  await page.fill("#code", lastCode());
  await page.keyboard.press("Enter");
  await page.waitForSelector("#device details");
}

async function listed(page) {
  await page.waitForSelector("#lists", { state: "visible" });
  return page.locator("#open li").allInnerTexts();
}

async function shown(page) {
  await page.waitForSelector("#signed-heading");
  await page.waitForSelector("#case-view", { state: "visible" });
  return {
    detail: await page.innerText("#case-view"),
    choices: await page.locator("[data-decision]").evaluateAll((all) => all.map((one) => one.dataset.decision)),
  };
}

async function choose(page, decision, note = NOTE) {
  await page.waitForSelector("#note");
  await page.fill("#note", note);
  await page.click(`[data-decision="${decision}"]`);
  await page.waitForSelector("#sure-heading:focus");
}

const send = (page) => page.click(".sure .main-action");
const first = (page) => page.locator("#open a").first();
const last = (page) => page.locator("#open a").last();
const ended = async (page) => {
  await page.waitForSelector("#message.good:focus");
  return page.innerText("#message");
};
const kid = async (page) => {
  await page.click("#device summary");
  const text = (await page.innerText("#device")).replace(/[\s\u00a0]/g, "");
  await page.click("#device summary");
  return /:([0-9a-f]{16})/.exec(text)[1];
};

// How it looks, in both languages on both screens.
for (const language of ["vi", "en"]) {
  for (const [name, size] of Object.entries(SIZES)) {
    await visit({ language, size }, async (page) => {
      await page.goto(`${BASE}/cases`);
      await page.waitForSelector("#phone", { state: "visible" });
      if (name === "phone") await picture(page, `sign-in-${language}-${name}`);
      await signIn(page);
      const entries = await listed(page);
      await picture(page, `list-${language}-${name}`);
      await first(page).click();
      found.shown[language] = { entries, ...(await shown(page)) };
      await picture(page, `detail-${language}-${name}`);
      await choose(page, "record");
      await picture(page, `sure-${language}-${name}`);
      await page.click(".sure .plain");
      await page.click(".back");
      await last(page).click();
      await shown(page);
      await picture(page, `gap-${language}-${name}`);
    });
  }
}

// From the first page: the count, the device, and the way to the cases in the same tab.
await visit({}, async (page, context) => {
  await page.goto(BASE);
  await page.click("#staff summary");
  await signIn(page);
  await page.waitForSelector("#cases-link a");
  found.home = await page.innerText("#panel");
  await page.locator("#cases-link").scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${PICTURES}/cases-home-vi-phone.png`, fullPage: true });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.screenshot({ path: `${PICTURES}/cases-home-vi-desk.png` });
  await page.setViewportSize({ width: 360, height: 740 });
  await page.click("#cases-link a");
  await listed(page);
  found.kids.push(await kid(page));

  // With the keyboard: no note, a retry that is refused, then by force.
  await first(page).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#case-view h1:focus");
  await page.focus('[data-decision="retry"]');
  await page.keyboard.press("Enter");
  found.missing = [await page.innerText("#note-error"), await page.evaluate(() => document.activeElement.id)];
  await picture(page, "missing-vi-phone");
  await choose(page, "retry");
  await page.focus(".sure .main-action");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".fault:focus");
  found.refused = await page.innerText(".fault");
  await picture(page, "refused-vi-phone");
  await choose(page, "record");
  found.sure = await page.innerText(".sure");
  await send(page);
  found.recorded = await ended(page);
  await picture(page, "recorded-vi-phone");
  await page.click("#decided a");
  found.decidedShown = await page.innerText("#case-view");
  await picture(page, "decided-vi-phone");
  await page.click(".back");

  // A second tab signs in for itself, with the same key; both sign at once.
  const other = await context.newPage();
  await other.goto(`${BASE}/cases`);
  await signIn(other);
  await listed(other);
  if ((await kid(other)) !== found.kids[0]) found.faults.push("the second tab has another key");
  await first(page).click();
  found.shown.finish = await shown(page);
  await choose(page, "dismiss");
  await last(other).click();
  await choose(other, "skip");
  await Promise.all([send(page), send(other)]);
  await Promise.all([ended(page), ended(other)]);
  await other.close();

  // The key is shut away: the form says so, and a new sign-in makes another key. Its answer is lost on the way.
  await page.request.get(`${BASE}/test/quarantine/${found.kids[0]}`);
  await first(page).click();
  await choose(page, "dismiss");
  await send(page);
  await page.waitForSelector(".fault:focus");
  found.quarantined = await page.innerText(".fault");
  await picture(page, "quarantined-vi-phone");
  await page.click(".fault button");
  await signIn(page);
  found.kids.push(await kid(page));
  found.noteKept = await page.inputValue("#note");
  await page.route(
    "**/decision",
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await choose(page, "dismiss");
  await send(page);
  await page.waitForSelector(".fault:focus");
  found.unsure = await page.innerText(".fault");
  await picture(page, "unsure-vi-phone");
  await send(page);
  await ended(page);

  // The key is revoked, and the sign-in with it.
  await page.request.get(`${BASE}/test/revoke/${found.kids[1]}`);
  await first(page).click();
  await page.waitForSelector("#phone:focus");
  found.revoked = await page.innerText("#message");
  await picture(page, "revoked-vi-phone");
  await signIn(page);
  found.kids.push(await kid(page));
  await choose(page, "dismiss");
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "200%";
  });
  await page.setViewportSize({ width: 320, height: 640 });
  await picture(page, "sure-vi-large-letters");
  await page.click(".sure .plain");
  await picture(page, "detail-vi-large-letters");
  await choose(page, "dismiss");
  await send(page);
  await ended(page);
  await picture(page, "list-vi-large-letters");
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "";
  });
  await page.setViewportSize({ width: 360, height: 740 });
  found.empty = await page.innerText("#lists");
  await picture(page, "empty-vi-phone");
  await page.setViewportSize({ width: 1280, height: 800 });
  await picture(page, "empty-vi-desk");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.click("#decided a >> nth=1");
  await shown(page);
  await picture(page, "decided-vi-dark");
  await page.click("#sign-out");
  await page.waitForSelector("#phone", { state: "visible" });
  found.signedOut = [await page.evaluate(() => sessionStorage.length === 0), await page.isVisible("#lists")];
});

// A token that came with the address signs nothing; without scripts the page says what it needs.
await visit({ language: "vi" }, async (page) => {
  await page.goto(`${BASE}/cases#token=${TOKEN}`);
  await listed(page);
  if (page.url().includes(TOKEN)) found.faults.push("the token stays in the address bar");
  found.noKey = await page.innerText("#device");
});
await visit({ javaScriptEnabled: false }, async (page) => {
  await page.goto(`${BASE}/cases`);
  if (!(await page.innerText("main")).includes("JavaScript")) found.faults.push("nothing is said without scripts");
});
await browser.close();
console.log(JSON.stringify(found));
