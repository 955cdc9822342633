// Runs the outbox's own checks over cases from stdin: {operation | evidence, receipt, keys} to whether the receipt holds.
import { readFileSync } from "node:fs";
import { verifyAsync } from "@noble/ed25519";
import * as receipts from "../../courier_api/web/static/js/app/outbox/receipts.js";
import { fromHex } from "../../courier_api/web/static/js/device/core.js";

const verify = (...parts) => verifyAsync(...parts, { zip215: false });
const bytes = (text) => fromHex(text, text.length / 2);

const answers = [];
for (const { operation, evidence, receipt, keys } of JSON.parse(readFileSync(0))) {
  const known = keys.map(bytes);
  answers.push(
    await (operation
      ? receipts.operationReceiptHolds(operation, receipt, known, { verify })
      : receipts.evidenceReceiptHolds({ ...evidence, bytes: bytes(evidence.bytes) }, receipt, known, { verify })),
  );
}
console.log(JSON.stringify(answers));
