// A bad network between a browser and the server: away, or slow with requests that are cut, some of them after the
// server has done what they ask.
import http from "node:http";

const PIECE = 1024;
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export class Network {
  // `mode` is "good", "down" or "weak"; how weak: kbit/s each way, ms there and back, the part of requests that are cut.
  constructor(upstream, { rate = 64, latency = 200, cuts = 0.3, chance = Math.random } = {}) {
    const { hostname, port } = new URL(upstream);
    Object.assign(this, { mode: "good", hostname, port: Number(port), latency, cuts, chance });
    this.cut = { before: 0, after: 0, of: 0, bytes: 0 };
    this.up = lane(rate);
    this.down = lane(rate);
    this.server = http.createServer((request, response) => {
      this.carry(request, response).catch(() => request.socket.destroy());
    });
    this.server.on("connection", (socket) => {
      if (this.mode === "down") socket.destroy();
    });
    this.agent = new http.Agent(); // a connection for each request: none is found closed
  }

  async listen() {
    await new Promise((resolve) => {
      this.server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  become(mode) {
    this.mode = mode;
    this.server.closeAllConnections();
  }

  close() {
    this.become("down");
    this.server.close();
    this.agent.destroy();
  }

  async carry(request, response) {
    const weak = this.mode === "weak";
    const fate = weak ? this.fate() : "whole";
    if (weak) await pause(this.latency);
    const sent = await gathered(request, weak && this.up);
    if (fate === "before") {
      this.cut.before += 1;
      request.socket.destroy();
      return;
    }
    const answer = await this.ask(request, sent);
    if (fate === "after") {
      this.cut.after += 1;
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { ...answer.headers, Connection: "close" });
    for (let at = 0; at < answer.body.length; at += PIECE) {
      const piece = answer.body.subarray(at, at + PIECE);
      if (weak) await this.down(piece.length);
      response.write(piece);
    }
    response.end();
    this.cut.bytes += sent.length + answer.body.length;
  }

  fate() {
    this.cut.of += 1;
    if (this.chance() >= this.cuts) return "whole";
    return this.chance() < 0.5 ? "before" : "after";
  }

  ask({ method, url, headers }, body) {
    return new Promise((resolve, reject) => {
      const { hostname, port, agent } = this;
      const asked = http.request({ hostname, port, agent, method, path: url, headers }, async (answer) => {
        const { connection, "transfer-encoding": _, ...rest } = answer.headers;
        resolve({ status: answer.statusCode, headers: rest, body: await gathered(answer) });
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }
}

async function gathered(stream, through = null) {
  const pieces = [];
  for await (const piece of stream) {
    if (through) await through(piece.length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

// A token bucket: all who use the lane share `rate` kbit/s. 0: as fast as it goes.
function lane(rate) {
  let free = 0; // when the lane is free again
  return (bytes) => {
    if (!rate) return null;
    const now = performance.now();
    free = Math.max(free, now) + (bytes * 8) / rate;
    return pause(free - now);
  };
}
