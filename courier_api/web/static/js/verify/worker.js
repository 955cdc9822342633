// Keeps the verifying page on the device. The server writes SHELL = {pages, files, version} and js/keeping.js above.
const KEPT = `verify-${SHELL.version}`;
const CHOICE = "verify-language"; // which of the pages was shown last
const PAGES = Object.keys(SHELL.pages);
const PATHS = ["/verify", "/VERIFY"];
const PATIENCE_MS = 4000; // a network that is there but does not answer

addEventListener("install", (event) => event.waitUntil(keepWhole(KEPT).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(forgetOlder().then(() => clients.claim())));
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && PATHS.includes(url.pathname)) event.respondWith(page(event.request, url));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(file(event.request));
});

async function forgetOlder() {
  const names = await caches.keys();
  const older = names.filter((name) => name.startsWith("verify-") && name !== KEPT && name !== CHOICE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

// From the network where there is one, so that new keys of the operator are known at once.
async function page(request, url) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const response = await fetch(request, { signal: stop.signal });
    if (response.status >= 500) return (await kept(url)) ?? response;
    await noteChoice(response.headers.get("Content-Language"));
    return response;
  } catch {
    return (await kept(url)) ?? Response.error();
  } finally {
    clearTimeout(late);
  }
}

async function kept(url) {
  const noted = await (await caches.open(CHOICE)).match("/");
  const language = url.searchParams.get("lang") ?? (await noted?.text());
  const cache = await caches.open(KEPT);
  const wanted = PAGES.find((address) => address.endsWith(`=${language}`)) ?? PAGES[0];
  if (url.searchParams.has("lang")) await noteChoice(language);
  return cache.match(wanted, { ignoreVary: true });
}

async function noteChoice(language) {
  if (language) await (await caches.open(CHOICE)).put("/", new Response(language));
}

async function file(request) {
  const cache = await caches.open(KEPT);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}
