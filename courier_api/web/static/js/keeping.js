// What the service workers share: keeping one version. The server writes SHELL = {pages, files, version, ...} above these
// lines; `pages` says of each page which version of it the worker keeps. A worker's own script follows below.
const AT_ONCE = 6;

// The pages and files, in the cache of this name. If it fails nothing of it is there.
async function keepWhole(name) {
  await fill(name, await fetchAll([...Object.keys(SHELL.pages), ...SHELL.files]));
}

// Without credentials: asking for both languages must not change the reader's choice, which is a cookie.
const asked = (address) => new Request(address, { credentials: "omit" });

async function fetchAll(addresses) {
  const left = [...addresses];
  const found = [];
  const one = async () => {
    for (let address = left.pop(); address; address = left.pop()) found.push([address, await fetchOne(address)]);
  };
  // One that fails ends the others.
  await Promise.all(Array.from({ length: AT_ONCE }, one)).finally(() => {
    left.length = 0;
  });
  return found;
}

async function fetchOne(address) {
  const response = await fetch(asked(address));
  if (!isOfThisVersion(address, response)) throw new Error(`${address} was not answered by this version`);
  await response.clone().arrayBuffer(); // to its end: the line may break in the middle
  return response;
}

// During a change of versions processes of both answer. Modules of two versions do not fit each other, and what is kept
// stays until the next version: so nothing of the other is kept. It marks a file as not to be kept, a page as its own.
function isOfThisVersion(address, { ok, headers }) {
  if (!ok) return false;
  const version = SHELL.pages[address];
  return version ? headers.get("Page-Version") === version : !/no-store/.test(headers.get("Cache-Control") ?? "");
}

// Whole or not at all. What was there already is of the same version, and the worker that runs may serve from it: it
// stays.
async function fill(name, found) {
  const isThere = await caches.has(name);
  try {
    const cache = await caches.open(name);
    await Promise.all(found.map(([address, response]) => cache.put(asked(address), response)));
  } catch (fault) {
    if (!isThere) await caches.delete(name);
    throw fault;
  }
}
