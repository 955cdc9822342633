// The first visit, by what is transferred; and the start of the installed app without a network, by the clock.
import { Browser } from "./browser.mjs";

const MAP = /maplibre-gl|courier-map\.css/;

// {code, map, fonts} in bytes as they came over the line, until the sign-in screen is up.
export async function firstVisit(executable, profile, base) {
  const browser = new Browser(executable, profile);
  await browser.start();
  try {
    const page = await browser.open();
    const { devtools } = browser;
    const kinds = new Map();
    const sizes = { code: 0, map: 0, fonts: 0, requests: 0 };
    devtools.on("Network.responseReceived", ({ requestId, response }) => kinds.set(requestId, kindOf(response.url)));
    devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId);
      if (!kind) return;
      sizes[kind] += encodedDataLength;
      sizes.requests += 1;
    });
    await devtools.send("Network.enable");
    await page.goto(`${base}/courier`, { waitUntil: "load" });
    await page.waitForSelector("body[data-open] input[type=tel]");
    await page.waitForTimeout(500);
    return sizes;
  } finally {
    await browser.kill();
  }
}

function kindOf(address) {
  const { pathname } = new URL(address);
  if (pathname.endsWith(".woff2")) return "fonts";
  if (!/\.(m?js|css)$/.test(pathname)) return null;
  return MAP.test(pathname) ? "map" : "code";
}

// In milliseconds since the navigation began: when the page and the last script were there, and the round was shown.
function passed() {
  const [{ responseEnd: page }] = performance.getEntriesByType("navigation");
  const scripts = performance
    .getEntriesByType("resource")
    .filter(({ name }) => /\.m?js$/.test(name))
    .map(({ responseEnd }) => responseEnd);
  const [{ startTime: open }] = performance.getEntriesByName("open");
  return {
    page: Math.round(page),
    scripts: Math.round(Math.max(...scripts.filter((end) => end < open))),
    open: Math.round(open),
  };
}

// Runs in the page: until the app is open. To look for it again and again would slow down what is measured.
function opened() {
  return new Promise((resolve) => {
    new PerformanceObserver((list) => {
      if (list.getEntriesByName("open").length) resolve();
    }).observe({ type: "mark", buffered: true });
  });
}

// Each time in a new process.
export async function coldStarts(executable, profile, base, { times, slower }) {
  const taken = [];
  for (let n = 0; n < times; n += 1) {
    const browser = new Browser(executable, profile);
    await browser.start();
    try {
      const page = await browser.open({ slower });
      await page.goto(`${base}/courier#/`, { waitUntil: "commit" });
      await page.evaluate(opened);
      if (!(await page.isVisible(".stops"))) throw new Error("it opened without the round");
      taken.push(await page.evaluate(passed));
    } finally {
      await browser.kill();
    }
  }
  return taken;
}
