// A courier's day without a network: every door, the office, remarks; and what stood on the phone after each death.
import { setTimeout as pause } from "node:timers/promises";
import { Screens } from "./screens.mjs";

const HOURS = 8;
const TELL_S = 30;
const SLOW = 6; // a cheap phone's processor; the last tenth of the doors is done on one

export class Day {
  // `size` is {stops, operations, photos}; `deaths` how often the browser dies; chance a source of numbers in [0, 1).
  constructor({ browser, base, network, taps, size, deaths, chance }) {
    Object.assign(this, { browser, base, network, taps, size, chance });
    this.rows = []; // what stands on the phone, each with what was tapped for it
    this.photos = 0;
    this.entered = null; // {stop, ...}: what a half-filled form must still have after a death
    this.intent = null; // what is being done and may or may not be written
    this.found = { kills: 0, lost: 0, restored: 0, faults: [] };
    this.ahead = 0; // milliseconds of the day that went by faster than the clock
    this.inForms = Math.min(2, deaths);
    this.atCounts = Array.from(
      { length: deaths - this.inForms },
      () => 2 + Math.floor(chance() * (size.operations - 4)),
    );
  }

  async ride() {
    this.network.become("down");
    await this.open();
    for (let resting = false; !resting;) {
      try {
        resting = await this.step();
        if (resting && this.deathsLeft()) {
          await this.die();
          throw new Error("dead");
        }
      } catch (fault) {
        if (!this.dying)
          throw new Error(`${fault.message}\n${await this.screens.text().catch(String)}`, { cause: fault });
        await this.revive();
      }
    }
    return { rows: this.rows, evidence: await this.screens.evidence() };
  }

  // --- dying -----------------------------------------------------------------------------------------------------

  // The page, with the day's own time; a door in the last tenth is done on a slow phone.
  async open() {
    await this.browser.context.clock.install({ time: Date.now() - HOURS * 3_600_000 + this.ahead });
    const page = await this.browser.open({ slower: this.slower() });
    page.on("pageerror", (fault) => this.found.faults.push(fault.message));
    await this.taps.watch(page);
    this.screens = new Screens(page, this.base);
    await this.screens.go("#/");
  }

  slower() {
    const left = this.doors?.length;
    return left && left <= Math.max(1, this.size.stops / 10) ? SLOW : 1;
  }

  die() {
    this.dying = this.browser.kill();
    this.found.kills += 1;
    return this.dying;
  }

  // At some moment of the next operation.
  dieSoon() {
    const at = this.atCounts.findIndex((count) => count <= this.rows.length);
    if (at < 0 || this.death) return;
    this.atCounts.splice(at, 1);
    this.death = setTimeout(() => {
      this.death = null;
      this.die();
    }, this.chance() * 2_500);
  }

  // Deaths that the day was too short for come at its end, one after the other.
  deathsLeft() {
    if (this.death) clearTimeout(this.death);
    else if (!this.atCounts.length) return false;
    else this.atCounts.pop();
    this.death = null;
    return true;
  }

  async revive() {
    await this.dying;
    clearTimeout(this.death); // once is enough
    if (this.death) this.atCounts.push(0);
    this.death = null;
    await this.browser.start();
    this.dying = null;
    await this.open();
    const there = await this.screens.standing();
    const ids = new Set(there.map(({ id }) => id));
    for (const { id } of this.rows)
      if (!ids.has(id)) {
        this.found.lost += 1;
        this.found.faults.push(`lost by a kill: ${id}`);
      }
    await this.wrote(there);
  }

  // What is new on the phone is what was tapped last; nothing else may be there.
  async wrote(there = null) {
    const known = new Set(this.rows.map(({ id }) => id));
    const fresh = (there ?? (await this.screens.standing())).filter(({ id }) => !known.has(id));
    for (const row of fresh) {
      if (!this.intent?.typs.includes(row.typ)) this.found.faults.push(`nobody tapped ${row.typ} ${row.id}`);
      this.rows.push({ ...row, tapped: this.intent?.tapped ?? {} });
    }
    if (fresh.length > 1 && this.intent?.typs.length === 1)
      this.found.faults.push(`one tap wrote ${fresh.length} of ${this.intent.typs}`);
    if (fresh.length) {
      if (this.intent.photo) this.photos += 1;
      this.intent = null;
    }
    return fresh.length;
  }

  // One operation, or several of one signature: done, and seen on the phone. It may be seen only after a death.
  async sign(typs, tapped, act, { photo = false } = {}) {
    this.intent = { typs, tapped, photo };
    await act();
    if (!(await this.wrote())) throw new Error(`not written: ${typs}`);
    await this.taps.take(this.browser.page, this.slower());
    const each = Math.floor((HOURS * 3_600_000) / (this.size.operations + 1));
    const forward = Math.min(each, HOURS * 3_600_000 - this.ahead);
    this.ahead += forward;
    await this.browser.page.clock.fastForward(forward);
  }

  // --- the day, from what the app shows ------------------------------------------------------------------------------

  // The next thing to do; true when there is none.
  async step() {
    this.dieSoon();
    const { screens } = this;
    await screens.go("#/");
    await screens.page.waitForSelector(".stops");
    this.doors = await screens.page.evaluate(() =>
      [...document.querySelectorAll("a.stop.open")].map(({ hash }) => hash.split("/")[2]),
    );
    await this.browser.slow(this.slower());
    if (this.doors.length) return this.door(this.doors[0]);
    if (!this.rows.some(({ typ }) => typ === "courier.finish")) return this.finish();
    await screens.go("#/office");
    if (await screens.main().isVisible()) return this.office();
    if (this.rows.length < this.size.operations || this.photos < this.size.photos) return this.remark();
    return true;
  }

  async finish() {
    await this.screens.main().tap();
    const yes = this.screens.page.locator("dialog .main-action").first();
    await this.sign(["courier.finish"], {}, async () => {
      await yes.tap();
      await this.screens.at("#/office");
    });
  }

  async door(stop) {
    const { screens } = this;
    const { page } = screens;
    const { lat, lon } = await screens.point(stop);
    await this.browser.context.setGeolocation({ latitude: lat, longitude: lon, accuracy: 9 });
    await screens.go(`#/stop/${stop}`);
    await page.waitForSelector("#action .main-action");
    const { riding, kind } = await page.evaluate(() => ({
      riding: Boolean(document.querySelector("#action .second-action")),
      kind: document.querySelector(".door").classList.contains("pickup") ? "pickup" : "delivery",
    }));
    if (!riding) {
      await screens.onward("#/ready");
      await this.sign(["courier.start"], {}, () => screens.onward("#/$"));
      return false;
    }
    const arrived = this.rows.some(({ typ, subject }) => typ === "courier.arrival" && subject.stop === stop);
    const into = () => screens.onward(`#/stop/${stop}/${kind}`);
    if (arrived) await into();
    else await this.sign(["courier.arrival"], { stop }, into);
    const n = this.size.stops - this.doors.length;
    if (n % 6 === 5) await this.fail(stop, n);
    else await this.through(stop, n);
    return false;
  }

  async fail(stop, n) {
    const { screens } = this;
    const { page } = screens;
    await screens.go(`#/stop/${stop}`);
    await page.locator("#action .second-action").tap();
    await screens.at("failure$");
    await page.locator(".reasons a").first().tap();
    await screens.at("failure/");
    const note = `Không có ai ở nhà, lần ${n}`;
    await page.fill("textarea", note);
    const photo = n % 12 === 5;
    await this.sign(
      ["courier.failure"],
      { stop, note, photo },
      async () => {
        if (photo) await screens.photo(screens.main(), () => screens.at("#/$"));
        else {
          await page.locator("#action .second-action").tap();
          await screens.at("#/$");
        }
      },
      { photo },
    );
  }

  // Step by step, from wherever the app is; what was entered before a death must be there.
  async through(stop, n) {
    const before = this.entered?.stop === stop ? this.entered : {};
    this.entered = { ...before, stop };
    const seal = `NS-${String(100_000 + n)}`;
    for (;;) {
      const hash = await this.screens.hash();
      const [, , , kind, step = kind === "pickup" ? "who" : "receiver"] = hash.split("/");
      if (step === "receiver") await this.receiver(before, n);
      else if (step === "seal") await this.sealed(before, seal);
      else if (step === "sign") {
        await this.signed(before, stop, kind, seal);
        return;
      } else await this.screens.onward();
    }
  }

  must(name, there) {
    if (there) this.found.restored += 1;
    else {
      this.found.lost += 1;
      this.found.faults.push(`a half-filled form lost its ${name}`);
    }
  }

  // Each third result goes to somebody with a written authorisation, which is photographed.
  async receiver(before, n) {
    const { page } = this.screens;
    if (n % 3 === 1 && (await page.locator(".choice").count()) === 3) {
      const name = page.locator(".field input").first();
      if (before.receiver)
        this.must(
          "receiver",
          (await name.inputValue()) === before.receiver && (await page.locator("img.taken").count()) === 1,
        );
      else {
        const receiver = `Trần Thị Mai ${n}`;
        await page.locator(".choice").nth(2).tap();
        await name.fill(receiver);
        await page.locator(".field input").nth(1).fill(`GUQ-${n}`);
        // Who died right after the shutter has it already.
        if (!(await page.locator("img.taken").count()))
          await this.screens.photo(page.locator("main .main-action:visible"), () => page.waitForSelector("img.taken"));
        this.entered = { ...this.entered, receiver, photo: true };
      }
    }
    await this.screens.onward();
  }

  async sealed(before, seal) {
    const { screens } = this;
    const { page } = screens;
    const field = page.locator(".field input");
    if (before.seal)
      this.must("seal", (await field.inputValue()) === before.seal && (await page.locator("img.taken").count()) === 1);
    if (await page.locator("img.taken").count()) {
      await screens.onward();
      return;
    }
    await field.fill(seal);
    await screens.photo(screens.main(), () => screens.at("/sign$"));
    this.entered = { ...this.entered, seal, photo: true };
    await this.dieInForm("seal");
  }

  async signed(before, stop, kind, seal) {
    const { screens } = this;
    const { page } = screens;
    await page.waitForSelector("canvas.pad");
    const drawn = () => page.locator(".pad-hint").isHidden();
    if (before.strokes) this.must("signature", await drawn());
    if (!(await drawn())) await screens.sign();
    const { photo = false, receiver = null } = this.entered;
    this.entered = { ...this.entered, strokes: true };
    await this.dieInForm("strokes");
    const tapped = { stop, photo, receiver, seal: kind === "pickup" ? seal : null };
    await this.sign(["custody.handover"], tapped, () => screens.onward("#/receipt/"), { photo });
    this.entered = null;
  }

  // A form that is half filled: two deaths are kept for these.
  async dieInForm(name) {
    if (this.inForms === (name === "strokes" ? 2 : 1)) {
      this.inForms -= 1;
      await this.die();
      throw new Error("dead");
    }
  }

  async office() {
    const { screens } = this;
    const { page } = screens;
    const left = page.locator("main input[type=checkbox]:not(:checked)"); // none, where he died after choosing
    if (await left.count()) await page.locator("main .card .second-action").last().tap();
    await screens.onward("office/sign");
    await page.waitForSelector("canvas.pad");
    await page.locator(".choice").first().tap();
    const owed = page.locator(".field .hint");
    if (await owed.count()) await page.fill("input[inputmode=numeric]", (await owed.innerText()).replace(/\D/g, ""));
    await screens.sign();
    await this.sign(["custody.handover", "courier.settlement"], {}, () => screens.onward("#/handed/"));
  }

  // About one of the handovers after the other.
  async remark() {
    const { screens } = this;
    const { page } = screens;
    const doors = this.rows.filter(({ typ, subject }) => typ === "custody.handover" && subject.stop);
    const { id } = doors[this.rows.length % doors.length];
    const photo = this.photos < this.size.photos;
    const note = `Ghi chú ${this.rows.length}: đếm lại thấy khác`;
    await screens.go(`#/remark/${id}`);
    await page
      .locator(".choices .choice")
      .nth(this.rows.length % 5)
      .tap();
    await page.fill("textarea", note);
    if (photo) {
      await page.locator("main .second-action").tap();
      await page.waitForSelector("dialog video");
      await screens.photo(page.locator("dialog .main-action"), () => page.waitForSelector("main img.taken"));
    }
    await this.sign(["courier.remark"], { of: id, note, photo }, () => screens.onward("#/queue"), { photo });
  }
}

// The network is back, and bad: until nothing waits any more, with some deaths on the way. Gives the seconds it took.
export async function send(day, { deaths, limit, say }) {
  const { browser, network, base, chance, found } = day;
  network.become("weak");
  const began = performance.now();
  let told = 0;
  const past = () => Math.round((performance.now() - began) / 1_000);
  const open = async () => {
    await browser.start();
    day.screens = new Screens(await browser.open(), base);
    await day.screens.go("#/queue");
    return day.screens.waiting();
  };
  const all = await open();
  const at = Array.from({ length: deaths }, () => 1 + Math.floor(chance() * all)).sort((a, b) => b - a);
  for (let left = all; left > 0 || at.length; left = await day.screens.waiting()) {
    if (past() > limit) {
      found.faults.push(`${left} still waited after ${limit} s`);
      break;
    }
    if (left <= at[0]) {
      at.shift();
      await pause(chance() * 800);
      found.kills += 1;
      await browser.kill();
      await open();
    }
    await pause(400);
    if (past() >= told + TELL_S) say(`${left} of ${all} wait after ${(told = past())} s`);
  }
  return past();
}
