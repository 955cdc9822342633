// What the phone's camera sees: a picture with as much in it as makes a photo of 20 to 40 kB, another in each frame.
import { createWriteStream } from "node:fs";
import { once } from "node:events";

const [WIDTH, HEIGHT, FRAMES] = [640, 480, 24];
const NOISE = 14; // of 256 steps of grey

export async function film(file, chance) {
  const out = createWriteStream(file);
  out.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F12:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const grey = Buffer.alloc(WIDTH * HEIGHT);
    for (let at = 0; at < grey.length; at += 1) {
      const [x, y] = [at % WIDTH, Math.floor(at / WIDTH)];
      grey[at] = 90 + 60 * Math.sin((x + 9 * frame) / 40) * Math.cos(y / 50) + NOISE * chance();
    }
    out.write("FRAME\n");
    out.write(grey);
    out.write(Buffer.alloc(grey.length / 2, 128));
  }
  out.end();
  await once(out, "finish");
}
