// A phone's Chromium with a folder of its own, as an installed app has it, and its sudden death.
import { chromium } from "playwright-core";

const PHONE = {
  viewport: { width: 360, height: 740 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
  reducedMotion: "reduce",
  permissions: ["geolocation", "camera"],
  geolocation: { latitude: 20.66, longitude: 106.06, accuracy: 12 },
};
const SWITCHES = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-gpu",
  "--no-first-run",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

export class Browser {
  // `film` is what its camera sees.
  constructor(executable, profile, film = null) {
    Object.assign(this, { executable, profile, film, pid: null, context: null, page: null });
  }

  // A new process on the same folder.
  async start() {
    const { executable: executablePath, profile, film } = this;
    const args = film ? [...SWITCHES, `--use-file-for-fake-video-capture=${film}`] : SWITCHES;
    this.context = await chromium.launchPersistentContext(profile, { ...PHONE, executablePath, args });
    this.context.setDefaultTimeout(60_000);
    this.gone = new Promise((resolve) => {
      this.context.on("close", resolve);
    });
    const devtools = await this.context.browser().newBrowserCDPSession();
    const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
    this.pid = processInfo.find(({ type }) => type === "browser").id;
  }

  // A page in it; `slower` is by how much its processor is slowed down.
  async open({ slower = 1 } = {}) {
    this.page = await this.context.newPage();
    this.devtools = await this.context.newCDPSession(this.page);
    await this.slow(slower);
    return this.page;
  }

  slow(rate) {
    return this.devtools.send("Emulation.setCPUThrottlingRate", { rate });
  }

  // Nothing is said to it before: what it had not written is gone.
  async kill() {
    if (this.pid) process.kill(-this.pid, "SIGKILL"); // the group that was started here
    this.pid = null;
    await this.gone;
  }
}
