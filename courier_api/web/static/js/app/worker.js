// Keeps the app on the phone. The server writes SHELL = {pages, files, later, version} and js/keeping.js above these lines.
const KEPT = `courier-${SHELL.version}`;
const LATER = "courier-later"; // the large libraries: their addresses never change their content
const CHOICE = "courier-language";
const PATHS = ["/courier"];
const PAGES = Object.keys(SHELL.pages);

addEventListener("install", (event) => {
  shorten(event);
  event.waitUntil(keep());
});
addEventListener("activate", (event) => event.waitUntil(forgetOlder().then(() => clients.claim())));
addEventListener("message", (event) => {
  if (event.data === "take over") skipWaiting();
  if (event.data === "keep later") event.waitUntil(answerLater(event.source));
});
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && PATHS.includes(url.pathname)) event.respondWith(page(event.request, url));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(file(event.request));
});

// Where the browser can, it takes files from the cache by itself: the first screen needs many, and each would wait for
// this script. What comes later lies in another cache, and is looked for below.
function shorten(event) {
  const at = (pathname) => ({ urlPattern: { pathname } });
  event
    .addRoutes?.([
      { condition: { or: SHELL.later.map(at) }, source: "fetch-event" },
      { condition: at("/assets/*"), source: { cacheName: KEPT } },
    ])
    .catch(() => {});
}

// If this fails the browser drops this worker, and tries it again at its next look.
async function keep() {
  await keepWhole(KEPT);
  const open = await clients.matchAll({ includeUncontrolled: true });
  if (!open.some(({ url }) => url.includes("/courier"))) await skipWaiting();
}

async function answerLater(client) {
  client.postMessage((await keepLater()) ? "later kept" : "later missing");
}

// Behind everything else, one after the other; what is there already is not fetched again. Gives whether all is there.
async function keepLater() {
  const cache = await caches.open(LATER);
  let all = true;
  for (const address of SHELL.later) {
    if (await cache.match(address, { ignoreVary: true })) continue;
    await fetchOne(address)
      .then((response) => cache.put(asked(address), response))
      .catch(() => {
        all = false;
      });
  }
  const wanted = new Set(SHELL.later);
  for (const { url } of await cache.keys()) if (!wanted.has(new URL(url).pathname)) await cache.delete(url);
  return all;
}

async function forgetOlder() {
  const names = await caches.keys();
  const older = names.filter((name) => /^courier-[0-9a-f]{16}$/.test(name) && name !== KEPT);
  await Promise.all(older.map((name) => caches.delete(name)));
}

// From the phone at once; a newer version comes by this script's own change, and never in the middle of a door.
async function page(request, url) {
  const language = url.searchParams.get("lang");
  if (language) await (await caches.open(CHOICE)).put("/", new Response(language)).catch(() => {}); // the disk may be full
  const noted = language ?? (await (await (await caches.open(CHOICE)).match("/"))?.text());
  const wanted = PAGES.find((address) => address.endsWith(`=${noted}`)) ?? PAGES[0];
  return (await (await caches.open(KEPT)).match(wanted, { ignoreVary: true })) ?? fetch(request);
}

async function file(request) {
  for (const name of [KEPT, LATER]) {
    const found = await (await caches.open(name)).match(request, { ignoreVary: true });
    if (found) return found;
  }
  return fetch(request);
}
