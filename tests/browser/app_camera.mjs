// Drives Chromium through the camera's modules, with photos and a filmed camera, and prints what it found as JSON.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { prepareZXingModule, writeBarcode } from "zxing-wasm/writer";

const { BASE, SEEN, CHROMIUM } = process.env;
const { codes, shrunk, broken, blank } = JSON.parse(readFileSync(0));
const SWITCHES = ["--no-sandbox", "--disable-background-networking"];
const FAKE = "--use-fake-device-for-media-stream";
const ALLOWED = "--use-fake-ui-for-media-stream";
const FILMED = [FAKE, ALLOWED, `--use-file-for-fake-video-capture=${SEEN}`];
const found = { faults: [], outside: [], wasm: 0, readers: {}, refused: {} };

// A browser with the page open and its modules at hand; `cut` says that lines on the console are expected.
async function visit({ switches = FILMED, native = null, cut = false }, work) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...SWITCHES, ...switches] });
  const page = await (await browser.newContext({ viewport: { width: 360, height: 740 } })).newPage();
  page.setDefaultTimeout(30_000);
  const counted = { wasm: 0 };
  page.on("console", (message) => {
    if (!cut && ["error", "warning"].includes(message.type())) found.faults.push(message.text());
  });
  page.on("pageerror", (fault) => found.faults.push(fault.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(blob|data):/.test(url) && !url.startsWith(BASE)) found.outside.push(url);
    if (url.endsWith(".wasm")) counted.wasm += 1;
  });
  if (native) await page.addInitScript(native);
  await page.goto(`${BASE}/test/camera`);
  await page.evaluate(async () => {
    const told = JSON.parse(document.querySelector("#told").textContent);
    const modules = await Promise.all(Object.values(told.camera).map((address) => import(address)));
    Object.assign(globalThis, ...modules, {
      video: document.querySelector("video"),
      wait: (ms) =>
        new Promise((go) => {
          setTimeout(go, ms);
        }),
      blobOf: (base64) => new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]),
      frameOf: async (...photos) => {
        const bitmaps = await Promise.all(photos.map((photo) => createImageBitmap(blobOf(photo))));
        const canvas = new OffscreenCanvas(
          bitmaps[0].width,
          bitmaps.reduce((high, { height }) => high + height, 0),
        );
        const pen = canvas.getContext("2d");
        bitmaps.reduce((y, bitmap) => {
          pen.drawImage(bitmap, 0, y);
          return y + bitmap.height;
        }, 0);
        return pen.getImageData(0, 0, canvas.width, canvas.height);
      },
    });
  });
  try {
    await work(page, counted);
  } finally {
    await browser.close();
  }
}

async function ofAll(cases, work) {
  const answers = {};
  for (const [name, one] of Object.entries(cases)) answers[name] = await work(one);
  return answers;
}

async function written(text, format) {
  const { image } = await writeBarcode(text, { format, scale: 4, addQuietZones: true });
  return Buffer.from(await image.arrayBuffer()).toString("base64");
}

// Codes and photos.
const WRITER = new URL("../../node_modules/zxing-wasm/dist/writer/zxing_writer.wasm", import.meta.url);
prepareZXingModule({ overrides: { wasmBinary: readFileSync(WRITER) } });
const others = [
  await written("SEAL-0042", "Code39"),
  await written("HY 004217 ấ", "DataMatrix"),
  await written("8934563138165", "EAN13"),
];
await visit({}, async (page, counted) => {
  found.photos = await ofAll(codes, (photo) => page.evaluate((one) => readCodes(blobOf(one)), photo));
  found.frames = await ofAll(codes, (photo) => page.evaluate(async (one) => readCodes(await frameOf(one)), photo));
  found.others = [];
  for (const one of others) found.others.push(await page.evaluate((photo) => readCodes(blobOf(photo)), one));
  const both = await page.evaluate(async (two) => readCodes(await frameOf(...two)), [codes.card, codes.label]);
  found.two = both.map(({ text }) => text).sort();
  found.blank = await page.evaluate((one) => readCodes(blobOf(one)), blank);
  found.broken = await ofAll(broken, (photo) =>
    page.evaluate(async (one) => {
      const nameOf = (fault) => (fault instanceof Undecodable ? "Undecodable" : String(fault));
      return Promise.all([shrink, readCodes].map((act) => act(blobOf(one)).then(() => "decoded", nameOf)));
    }, photo),
  );
  found.shrunk = {};
  for (const [name, photo] of Object.entries(shrunk)) {
    found.shrunk[name] = await page.evaluate(async (one) => {
      const { bytes, width, height } = await shrink(blobOf(one));
      const reads = (await readCodes(new Blob([bytes]))).map(({ text }) => text);
      let letters = "";
      for (const byte of bytes) letters += String.fromCharCode(byte);
      return { bytes: btoa(letters), width, height, reads };
    }, photo);
  }
  found.wasm = counted.wasm;
});

// The filmed camera from end to end, then one that a test holds in its hand.
await visit({}, async (page) => {
  Object.assign(
    found,
    await page.evaluate(async () => {
      const left = await openCamera(video);
      const camera = await openCamera(video);
      const leftOpen = left.grab() !== null;
      const [track] = video.srcObject.getVideoTracks();
      const { width, height } = camera.grab();
      const over = new AbortController();
      const watched = [];
      const watching = watchCodes(camera, { onCode: ({ text }) => watched.push(text), signal: over.signal });
      const until = performance.now() + 25_000;
      while (new Set(watched).size < 2 && performance.now() < until) await wait(100);
      over.abort();
      await watching;
      const still = { decodes: (await shrink(await camera.still())).width > 0 };
      ImageCapture.prototype.takePhoto = () =>
        Promise.reject(new DOMException("setPhotoOptions failed", "UnknownError"));
      const frame = await shrink(await camera.still());
      still["falls back"] = frame.width === 1280 && frame.height === 720;
      const lamp = camera.canTorch;
      camera.stop();
      const stopped = { track: track.readyState, shows: video.srcObject !== null, grabs: camera.grab() };
      return { leftOpen, watched, grabbed: [width, height], still, lamp, stopped };
    }),
  );
  Object.assign(
    found,
    await page.evaluate(
      async ([label, nothing]) => {
        const [code, none] = [await frameOf(label), await frameOf(nothing)];
        let shown = code;
        let [grabs, breaths, hidden] = [0, 0, false];
        Object.defineProperty(document, "hidden", { get: () => hidden });
        const breath = setInterval(() => {
          breaths += 1;
        }, 10);
        const over = new AbortController();
        let count = 0;
        const camera = {
          grab: () => {
            grabs += 1;
            return shown;
          },
        };
        const watching = watchCodes(camera, {
          onCode: () => {
            count += 1;
          },
          signal: over.signal,
        });
        // So that a slow machine changes nothing: waits for whole readings, not for a time alone.
        const after = async (readings, ms) => {
          await wait(ms);
          for (const least = grabs + readings; grabs < least;) await wait(10);
        };
        const told = {};
        await after(4, 2500);
        told.held = count;
        shown = none;
        await after(2, 1700);
        shown = code;
        await after(3, 0);
        told.back = count;
        hidden = true;
        await wait(2500);
        const before = grabs;
        await wait(500);
        told.hidden = count + (grabs - before);
        hidden = false;
        await after(3, 0);
        told.shown = count;
        const breathed = breaths >= grabs;
        over.abort();
        await watching;
        const ended = grabs;
        await wait(300);
        told.ended = count + (grabs - ended);
        clearInterval(breath);
        return { told, breathed };
      },
      [codes.label, blank],
    ),
  );
  const refusal = (replace) =>
    page.evaluate(async (how) => {
      const silent = document.createElement("canvas").captureStream();
      if (how === "silent") navigator.mediaDevices.getUserMedia = async () => silent;
      const inUse = new DOMException("in use", "NotReadableError");
      if (how === "busy") navigator.mediaDevices.getUserMedia = () => Promise.reject(inUse);
      if (how === "insecure") Object.defineProperty(navigator, "mediaDevices", { value: undefined });
      return openCamera(video).then(
        () => "opened",
        ({ code }) => code,
      );
    }, replace);
  for (const how of ["silent", "busy", "insecure"]) found.refused[how] = await refusal(how);
});

const opened = (page) =>
  page.evaluate(() =>
    openCamera(video).then(
      () => "opened",
      ({ code }) => code,
    ),
  );
const REFUSALS = { denied: [FAKE, "--deny-permission-prompts"], missing: [ALLOWED] };
for (const [how, switches] of Object.entries(REFUSALS)) {
  await visit({ switches }, async (page) => {
    found.refused[how] = await opened(page);
  });
}

// The browser's own reader, one that knows too little, one whose service is not there; and a cut line.
const native = (formats, inService) => `globalThis.BarcodeDetector = class {
  static async getSupportedFormats() { return ${JSON.stringify(formats)}; }
  async detect() {
    if (!${inService}) throw new DOMException("Barcode detection service unavailable", "NotSupportedError");
    return [{ rawValue: "EH123456785VN", format: "code_128" }];
  }
};`;
const READERS = {
  native: [["qr_code", "code_128", "pdf417"], true],
  "native without bars": [["qr_code"], true],
  "native out of service": [["qr_code", "code_128"], false],
};
for (const [name, said] of Object.entries(READERS)) {
  await visit({ native: native(...said) }, async (page, counted) => {
    const read = await page.evaluate(async (one) => readCodes(await frameOf(one)), codes.label);
    found.readers[name] = [read, counted.wasm];
    if (name !== "native") return;
    const ofPhoto = await page.evaluate((one) => readCodes(blobOf(one)), codes.label);
    found.readers["native of photo"] = [ofPhoto, counted.wasm];
  });
}
await visit({ cut: true }, async (page) => {
  const read = () => page.evaluate((one) => readCodes(blobOf(one)).catch(() => "refused"), codes.label);
  await page.route("**/*.wasm", (route) => route.abort());
  const refused = await read();
  await page.unroute("**/*.wasm");
  found.readers["lost on the way"] = [refused, await read()];
});

console.log(JSON.stringify(found));
