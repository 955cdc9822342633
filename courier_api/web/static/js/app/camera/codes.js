// Reads codes in photos and before the camera: by the browser's own reader where it has one, else by zxing's.
import { told } from "../../told.js";
import { decode } from "./photos.js";

const NATIVE = {
  qr_code: "QRCode",
  code_128: "Code128",
  code_39: "Code39",
  data_matrix: "DataMatrix",
  ean_13: "EAN13",
};
const NEEDED = ["qr_code", "code_128"]; // a native reader without these is none
const OPTIONS = { formats: Object.values(NATIVE), textMode: "Plain", maxNumberOfSymbols: 8 };
const LONGEST = 2000; // of a photo; a larger one shows no more codes, and takes long
const LEAST_PAUSE_MS = 60;
const AGAIN_MS = 1500; // so long a code must be out of sight to be told again

let reader = null;

// All codes in an ImageData or a photo: [{text, format}]. Raises Undecodable for a broken photo.
export async function readCodes(picture) {
  const image = picture instanceof Blob ? await pixels(picture) : picture;
  reader ??= load();
  try {
    return await (
      await reader
    )(image);
  } catch (fault) {
    reader = null; // the next one tries to load it again
    throw fault;
  }
}

// Tells `onCode` each code that comes before the camera, and waits for it, until `signal` says so. The page has at
// least as much time for itself as the reading takes.
export async function watchCodes(camera, { onCode, signal }) {
  const seen = new Map(); // text -> when it was last in sight
  while (!signal.aborted) {
    const began = performance.now();
    const frame = document.hidden ? null : camera.grab();
    const codes = frame ? await readCodes(frame) : [];
    const now = performance.now();
    for (const code of codes) {
      if (signal.aborted) return;
      const unseen = now - (seen.get(code.text) ?? -Infinity) >= AGAIN_MS;
      if (unseen) await onCode(code);
      seen.set(code.text, performance.now());
    }
    await pause(Math.max(LEAST_PAUSE_MS, now - began));
  }
}

const pause = (ms) =>
  new Promise((go) => {
    setTimeout(go, ms);
  });

async function load() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats().catch(() => [])) ?? [];
  if (!NEEDED.every((format) => formats.includes(format))) return zxing();
  const detector = new BarcodeDetector({ formats: Object.keys(NATIVE).filter((format) => formats.includes(format)) });
  return async (image) => {
    let codes;
    try {
      codes = await detector.detect(image);
    } catch {
      // phones say that they can, and then their service is not there
      reader = zxing();
      return (await reader)(image);
    }
    return codes.map(({ rawValue, format }) => ({ text: rawValue, format: NATIVE[format] }));
  };
}

async function zxing() {
  const { prepareZXingModule, readBarcodes } = await import(told.zxing);
  // Left alone it would fetch the wasm from somebody else's server.
  await prepareZXingModule({ overrides: { locateFile: () => told.zxing_wasm }, fireImmediately: true });
  return async (image) => (await readBarcodes(image, OPTIONS)).map(({ text, format }) => ({ text, format }));
}

async function pixels(photo) {
  const bitmap = await decode(photo, LONGEST);
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
