// What a driver of the courier's app does again and again: opens it, looks at a screen, signs in, stands at a door, signs.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const { BASE, SMS, PICTURES, CHROMIUM, LANGUAGE = "vi", ALL_PICTURES } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SWITCHES = [
  "--no-sandbox",
  "--disable-background-networking",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--disable-gpu-rasterization",
  "--disable-gpu-compositing",
  "--use-fake-device-for-media-stream",
];
const ALLOWED = "--use-fake-ui-for-media-stream";
const NAMES = "pending|published|withdrawn|started|finished|arrived|completed|failed|cancelled|applied|parked|rejected";
const QUOTED = `[“"'(](?:${NAMES}|done|waiting|draft)[”"')]`;
const STATES = new RegExp(LANGUAGE === "vi" ? `\\b(?:${NAMES})\\b|${QUOTED}` : QUOTED, "g");
const NOISE = /Failed to load resource|net::ERR_|GPU stall|GL Driver/;

export const newFound = () => ({
  faults: [],
  outside: [],
  axe: [],
  small: [],
  wide: [],
  empty: [],
  taps: 0,
  screens: [],
  shown: {},
});

// `film` is what the camera sees; `asked` leaves it to the permissions of each phone whether it may be used.
export const launch = ({ film = null, asked = false } = {}) =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [...SWITCHES, ...(asked ? [] : [ALLOWED]), ...(film ? [`--use-file-for-fake-video-capture=${film}`] : [])],
  });

// A phone with the app not yet opened; what is wrong with its screens goes into `found`.
export async function takePhone(browser, found, { permissions = ["geolocation", "camera"], language = LANGUAGE } = {}) {
  const context = await browser.newContext({
    viewport: { width: 360, height: 740 },
    locale: language,
    reducedMotion: "reduce",
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
    permissions,
    geolocation: { latitude: 20.66, longitude: 106.06, accuracy: 12 },
  });
  context.setDefaultTimeout(30_000);
  context.on("console", (message) => {
    if (!["error", "warning"].includes(message.type()) || NOISE.test(message.text())) return;
    const { url, lineNumber: line } = message.location();
    found.faults.push(`${message.text()} (${url}:${line})`);
  });
  context.on("weberror", (fault) => found.faults.push(fault.error().stack ?? fault.error().message));
  context.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
  });
  const page = await context.newPage();
  // Not with every frame, as it would by itself: what waits for seconds would keep the browser drawing.
  const until = page.waitForFunction.bind(page);
  page.waitForFunction = (what, told, options) => until(what, told, { polling: 60, ...options });

  // --- looking -------------------------------------------------------------------------------------------------------

  async function look(name) {
    await page.waitForTimeout(120);
    found.screens.push(name);
    await page.screenshot({ path: `${PICTURES}/courier-${name}-${LANGUAGE}.png`, fullPage: true });
    const text = await page.innerText("body");
    for (const gap of text.match(/\{\w+\}|undefined|\[object|NaN|…\s*$/g) ?? []) found.empty.push(`${name}: ${gap}`);
    // A word that is not there shows as its key; and nobody reads our codes, or the server's names of states.
    for (const code of text.match(/\S*\w_\w\S*/g) ?? []) found.empty.push(`${name}: ${code}`);
    for (const state of text.match(STATES) ?? []) found.empty.push(`${name}: ${state}`);
    found.shown[name] = text;
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of violations)
      found.axe.push(
        `${name}: ${id}: ${nodes
          .map(({ html }) => html.slice(0, 120))
          .slice(0, 3)
          .join(" | ")}`,
      );
    await fits(name);
    return text;
  }

  async function fits(name) {
    for (const [width, text] of [
      [360, "100%"],
      [320, "100%"],
      [360, "200%"],
    ]) {
      await page.setViewportSize({ width, height: 740 });
      const looks = await page.evaluate((size) => {
        document.documentElement.style.fontSize = size;
        const seen = (element) => element.getClientRects().length > 0 && !element.closest(".unseen, .skip");
        const target = (element) => element.closest("label") ?? element;
        const controls = [
          ...document.querySelectorAll("a, button, summary, textarea, input, select, label.file"),
        ].filter(seen);
        return {
          wider: document.documentElement.scrollWidth - innerWidth,
          small: controls
            .map(target)
            .filter((element) => {
              const { width: w, height: h } = element.getBoundingClientRect();
              return seen(element) && (h < 47.5 || w < 47.5) && !element.closest(".maplibregl-map");
            })
            .map((element) => element.outerHTML.slice(0, 100)),
        };
      }, text);
      if (looks.wider > 0) found.wide.push(`${name} at ${width}, ${text}: ${looks.wider} px too wide`);
      found.small.push(...looks.small.map((one) => `${name}: ${one}`));
      if (ALL_PICTURES && (width === 320 || text === "200%"))
        await page.screenshot({
          path: `${PICTURES}/courier-${name}-${LANGUAGE}-${width}-${text.replace("%", "")}.png`,
          fullPage: true,
        });
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "";
    });
  }

  // --- doing ---------------------------------------------------------------------------------------------------------

  const main = () => page.locator("#action .main-action:visible").first();
  const tap = async (locator) => {
    found.taps += 1;
    await locator.tap();
  };
  // Until a screen whose address is like `hash` is up.
  const at = (hash) =>
    page.waitForFunction((wanted) => {
      const here = location.hash || "#/";
      return new RegExp(wanted).test(here) && document.body.dataset.screen === here;
    }, hash);

  // The short word above the foot that `act` brings; the one that stands there before is marked, and not taken for it.
  const saidBy = async (act) => {
    await page.evaluate(() => document.querySelector("#snack").firstElementChild?.setAttribute("data-old", ""));
    await act();
    await page.waitForFunction(() => document.querySelector("#snack:not([hidden]) > span:not([data-old])"));
    return page.innerText("#snack > span");
  };

  // To where `hash` says, without the page being loaded again; the screen there may go on to another.
  const go = async (hash) => {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await at("");
  };

  async function open() {
    await page.goto(`${BASE}/courier?lang=${language}`);
    await page.waitForSelector("body[data-open]");
  }

  async function askForCode(number) {
    await page.fill("input[type=tel]", number);
    await tap(main());
    await page.waitForSelector("input[inputmode=numeric]");
  }

  async function enterCode(number) {
    await page.fill("input[inputmode=numeric]", codeFor(number));
    await tap(main());
    await at("#/ready");
  }

  async function prepare() {
    await tap(main());
    await page.waitForFunction(() => document.querySelectorAll(".checklist .good").length > 6, null, {
      timeout: 60_000,
    });
  }

  async function sign() {
    await page.waitForSelector("canvas.pad");
    await page.locator("canvas.pad").scrollIntoViewIfNeeded();
    const box = await page.locator("canvas.pad").boundingBox();
    for (const [from, to] of [
      [0.2, 0.5],
      [0.4, 0.8],
    ]) {
      await page.mouse.move(box.x + box.width * from, box.y + box.height * 0.5);
      await page.mouse.down();
      for (let n = 1; n <= 12; n += 1)
        await page.mouse.move(
          box.x + box.width * (from + ((to - from) * n) / 12),
          box.y + box.height * (0.5 + 0.2 * Math.sin(n)),
        );
      await page.mouse.up();
    }
  }

  async function stand({ lat, lon }) {
    await context.setGeolocation({ latitude: lat, longitude: lon, accuracy: 9 });
    await page.waitForTimeout(400);
  }

  // What the phone has in one of its tables; of bytes only their size.
  const kept = (table) =>
    page.evaluate(async (name) => {
      const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
      const rows = await (await openDatabase())[name].toArray();
      return JSON.parse(
        JSON.stringify(rows, (_, value) => (value instanceof Uint8Array ? { size: value.length } : value)),
      );
    }, table);

  const fact = async (key) => (await kept("facts")).find((row) => row.key === key)?.value ?? null;

  // The door of the stop whose screen is up.
  async function doorOf() {
    const id = await page.evaluate(() => location.hash.split("/")[2]);
    const rounds = (await kept("facts")).filter(({ key }) => key.startsWith("round:"));
    return rounds.flatMap(({ value }) => value.doors).find((door) => door.id === id);
  }

  return {
    context,
    page,
    found,
    look,
    main,
    tap,
    at,
    saidBy,
    go,
    open,
    askForCode,
    enterCode,
    prepare,
    sign,
    stand,
    kept,
    fact,
    doorOf,
  };
}

// The code that was sent last to a number as Vietnamese write it.
function codeFor(number) {
  const sent = readFileSync(SMS, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return /\b\d{6}\b/.exec(sent.findLast(({ phone }) => phone === `+84${number.slice(1)}`).text)[0];
}
