// Seals a backup with the app's own module: stdin {operations, evidence, kid, person, app, point}, stdout the file.
import { readFileSync } from "node:fs";
import { sealBackup } from "../../courier_api/web/static/js/app/backup/seal.js";
import { fromBase64 } from "../../courier_api/web/static/js/verify/bytes.js";

const { operations, evidence, point, ...whose } = JSON.parse(readFileSync(0));

// Read as from a database: one piece after the other, never all at once.
async function* pieces() {
  for (const { bytes, ...said } of evidence) yield { ...said, bytes: fromBase64(bytes) };
}

const sealed = await sealBackup({ operations, evidence: pieces(), ...whose }, point);
process.stdout.write(Buffer.from(await sealed.arrayBuffer()));
