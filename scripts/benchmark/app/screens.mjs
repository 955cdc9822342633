// The courier's hands: what he taps, fills in and draws on the app's own screens.
import { readFileSync } from "node:fs";

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export class Screens {
  constructor(page, base) {
    Object.assign(this, { page, base });
  }

  main = () => this.page.locator("#action .main-action:visible").first();
  hash = () => this.page.evaluate(() => location.hash);
  at = (form) => this.page.waitForFunction((wanted) => new RegExp(wanted).test(location.hash), form);
  opened = () => this.page.waitForSelector("body[data-open]");

  // From a screen to another as a link does it; into the app when it is not open yet.
  async go(hash) {
    const open = await this.page.evaluate((next) => {
      if (document.body?.dataset.open === undefined) return false;
      location.hash = next;
      return true;
    }, hash);
    if (!open) await this.page.goto(`${this.base}/courier${hash}`);
    await this.opened();
    await pause(80);
  }

  async text() {
    return `${await this.hash()}\n${await this.page.innerText("body")}`.slice(0, 2000);
  }

  // One tap of the main button, which leads to another screen.
  async onward(form = null) {
    const before = await this.hash();
    await this.main().tap();
    if (form) await this.at(form);
    else await this.page.waitForFunction((old) => location.hash !== old, before);
    await pause(60);
  }

  async signIn(phone, log) {
    await this.go("");
    await this.page.fill("input[type=tel]", phone);
    await this.main().tap();
    await this.page.waitForSelector("input[inputmode=numeric]");
    const sent = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const last = sent.findLast((one) => one.phone.endsWith(phone.slice(1)));
    await this.page.fill("input[inputmode=numeric]", /\b\d{6}\b/.exec(last.text)[0]);
    await this.onward("#/ready");
  }

  async prepare() {
    await this.main().tap();
    await this.page.waitForFunction(() => document.querySelectorAll(".checklist .good").length > 6, null, {
      timeout: 180_000,
    });
    await this.page.waitForFunction(
      async () =>
        (await caches.keys()).some((name) => /^courier-[0-9a-f]{16}$/.test(name)) && navigator.serviceWorker.controller,
    );
  }

  async sign() {
    const pad = this.page.locator("canvas.pad");
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    const { mouse } = this.page;
    for (const [from, to] of [
      [0.2, 0.5],
      [0.4, 0.8],
    ]) {
      await mouse.move(box.x + box.width * from, box.y + box.height * 0.5);
      await mouse.down();
      for (let n = 1; n <= 12; n += 1)
        await mouse.move(
          box.x + box.width * (from + ((to - from) * n) / 12),
          box.y + box.height * (0.5 + 0.2 * Math.sin(n)),
        );
      await mouse.up();
    }
    await pause(150); // until the last stroke is written down
  }

  // The camera's picture, once it shows one.
  async photo(shutter, taken) {
    await this.page.waitForFunction(() =>
      [...document.querySelectorAll("video")].some(({ videoWidth }) => videoWidth > 0),
    );
    await shutter.tap();
    await taken();
  }

  // What the phone has signed, sent or not, as its own database says.
  standing() {
    return this.page.evaluate(async () => {
      const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
      const { queue, done } = await openDatabase();
      const rows = [...(await done.toArray()), ...(await queue.toArray())].sort((a, b) => a.counter - b.counter);
      return rows.map(({ id, kid, counter, typ, at, subject, fields }) => ({
        id,
        kid,
        counter,
        typ,
        at,
        subject,
        fields,
      }));
    });
  }

  // Its photos and signatures by hand, by the hash of their bytes.
  evidence() {
    return this.page.evaluate(async () => {
      const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
      const found = [];
      await (await openDatabase()).evidence.each((row) => found.push(row));
      const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return Promise.all(
        found.map(async ({ event, kind, bytes, size }) => ({
          event,
          kind,
          size,
          sha256: hex(await crypto.subtle.digest("SHA-256", bytes)),
        })),
      );
    });
  }

  waiting() {
    return this.page.evaluate(async () => {
      const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
      const { queue, evidence } = await openDatabase();
      return (await queue.count()) + (await evidence.where("state").equals("waiting").count());
    });
  }

  // Where a stop's door is.
  point(stop) {
    return this.page.evaluate(async (id) => {
      const { openDatabase } = await import(document.querySelector('link[href$="js/device/store.js"]').href);
      const rounds = (await (await openDatabase()).facts.toArray()).filter(({ key }) => key.startsWith("round:"));
      return rounds.flatMap(({ value }) => value.doors).find((door) => door.id === id).job.point;
    }, stop);
  }
}
