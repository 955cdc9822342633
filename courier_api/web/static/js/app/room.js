// A disk that is full: a signature is worth more than a map, so the map's tiles give way.
import { StorageFull } from "../device/store.js";

export const TILES = "courier-tiles"; // the cache that holds them

// Does `work` again with the tiles gone, where it found no room. Throws StorageFull when that was not enough.
export async function withRoom(work) {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof StorageFull) || !(await globalThis.caches?.delete(TILES))) throw fault;
    return work();
  }
}
