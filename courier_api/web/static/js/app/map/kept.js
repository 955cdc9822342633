// The ground's tiles: first those that were fetched at the office, then the network. So the map needs no network on the
// way, whether or not a service worker stands between.
import { told } from "../../told.js";
import { TILES } from "../room.js";

const SCHEME = "kept";
export const template = () => `${SCHEME}:/${told.tiles}`;

export async function keptTiles() {
  const { addProtocol } = await import(told.maplibre);
  addProtocol(SCHEME, async ({ url }, { signal }) => {
    const path = url.slice(`${SCHEME}:/`.length);
    const answer = (await kept(path)) ?? (await fetch(path, { signal }));
    if (!answer.ok) throw new Error(`tile ${path}: ${answer.status}`);
    return { data: await answer.arrayBuffer() };
  });
}

// Without a store (a page that is not secure) there is only the network.
async function kept(path) {
  if (!globalThis.caches) return undefined;
  return (await caches.open(TILES)).match(path, { ignoreVary: true });
}
