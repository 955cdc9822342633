// Drives the courier's app for scripts/bench app: a first visit, a day offline, the sending, cold starts. JSON at the end.
import { Browser } from "./browser.mjs";
import { film } from "./camera.mjs";
import { Day, send } from "./day.mjs";
import { Network } from "./network.mjs";
import { coldStarts, firstVisit } from "./opening.mjs";
import { Screens } from "./screens.mjs";
import { Taps } from "./taps.mjs";

const { BASE, PHONE, SMS, FOLDER, CHROMIUM, SIZE } = process.env;
const size = JSON.parse(SIZE); // {stops, operations, photos, kills, rate, latency, starts, limit, seed}
const say = (line) => console.error(line);
const chance = numbers(size.seed);

const network = new Network(BASE, { rate: size.rate, latency: size.latency, chance });
const base = await network.listen();
const camera = `${FOLDER}/camera.y4m`;
await film(camera, chance);
const browser = new Browser(CHROMIUM, `${FOLDER}/phone`, camera);
try {
  const first = await firstVisit(CHROMIUM, `${FOLDER}/first`, BASE);
  say(`first visit: ${JSON.stringify(first)}`);
  await browser.start();
  const screens = new Screens(await browser.open(), base);
  await screens.signIn(PHONE, SMS);
  await screens.prepare();
  await browser.kill();
  await browser.start();

  const offline = Math.ceil(size.kills * 0.6);
  const taps = new Taps();
  const day = new Day({ browser, base, network, taps, size, deaths: offline, chance });
  const began = performance.now();
  const { rows, evidence } = await day.ride();
  const ridden_s = Math.round((performance.now() - began) / 1_000);
  say(`${rows.length} operations with ${evidence.length} files in ${ridden_s} s, ${day.found.kills} kills`);
  await browser.kill();
  // With all of the day on the phone; the server, which is on the same machine here, has nothing to do meanwhile.
  const opens = await coldStarts(CHROMIUM, `${FOLDER}/phone`, base, { times: size.starts, slower: 6 });
  say(`open after ${opens.map(({ open }) => open).join(" ")} ms`);
  const sent_s = await send(day, { deaths: size.kills - offline, limit: size.limit, say });
  const said = JSON.stringify({
    ...day.found,
    rows,
    evidence,
    photos: day.photos,
    first,
    ridden_s,
    sent_s,
    opens,
    taps: taps.ms,
    cut: network.cut,
  });
  await new Promise((written) => process.stdout.write(`${said}\n`, written)); // more than a pipe holds
} finally {
  if (browser.pid) await browser.kill();
  network.close();
}
process.exit(0);

// The same numbers for the same seed (mulberry32).
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
