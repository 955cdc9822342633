// A Chromium with a folder of its own, as an installed app has it, and its sudden death.
import { spawn } from "node:child_process";
import { chromium } from "playwright-core";

const SWITCHES = [
  "--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];
const LOOKS = { width: 360, height: 740, deviceScaleFactor: 2, mobile: true };

export class Browser {
  constructor(executable, profile) {
    Object.assign(this, { executable, profile, process: null, context: null, page: null });
  }

  // A new process on the same folder.
  async start() {
    const browser = spawn(this.executable, [...SWITCHES, `--user-data-dir=${this.profile}`, "about:blank"], { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const address = await new Promise((resolve, reject) => {
      let said = "";
      browser.stderr.on("data", (text) => {
        said += text;
        const [, url] = /DevTools listening on (\S+)/.exec(said) ?? [];
        if (url) resolve(url);
      });
      browser.on("exit", () => reject(new Error(said)));
    });
    this.process = browser;
    this.gone = new Promise((resolve) => { browser.on("exit", resolve); });
    this.driver = await chromium.connectOverCDP(address);
    [this.context] = this.driver.contexts();
    this.context.setDefaultTimeout(60_000);
  }

  // A phone's page; `slower` is by how much its processor is slowed down.
  async open({ origin, slower = 1 }) {
    await this.context.grantPermissions(["geolocation", "camera"], { origin });
    this.page = await this.context.newPage();
    this.devtools = await this.context.newCDPSession(this.page);
    await this.devtools.send("Emulation.setDeviceMetricsOverride", LOOKS);
    await this.devtools.send("Emulation.setTouchEmulationEnabled", { enabled: true });
    await this.slow(slower);
    return this.page;
  }

  slow(rate) {
    return this.devtools.send("Emulation.setCPUThrottlingRate", { rate });
  }

  // Nothing is said to it before: what it had not written is gone.
  async kill() {
    try {
      process.kill(-this.process.pid, "SIGKILL"); // the group that was started here
    } catch {
      // It is gone already.
    }
    await this.gone;
    await this.driver.close().catch(() => {});
  }
}
