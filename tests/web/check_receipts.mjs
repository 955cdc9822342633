// Runs the verifying page's own modules over cases from stdin: [{text, keys, entry?}] to [verdict].
import { readFileSync } from "node:fs";
import { verifyAsync } from "@noble/ed25519";
import { check, readKeys } from "../../courier_api/web/static/js/verify/crypto.js";
import { judge } from "../../courier_api/web/static/js/verify/ledger.js";
import { digits, NoReceipt, read, unpack } from "../../courier_api/web/static/js/verify/receipt.js";
import { verdict } from "../../courier_api/web/static/js/verify/verdict.js";

const ed25519 = (...parts) => verifyAsync(...parts, { zip215: false });
console.info = () => {};

async function decide({ text, keys, entry, fields }) {
  try {
    const bytes = read(text);
    const receipt = unpack(bytes);
    if (fields) return { ...receipt.says, kid: undefined, holder: receipt.vouched.holder, digits: digits(bytes) };
    const known = await readKeys(keys);
    const holds = await check(receipt, known, ed25519);
    return verdict(holds, entry && (await judge(entry, receipt, known, ed25519)).state);
  } catch (problem) {
    if (problem instanceof NoReceipt) return problem.verdict;
    throw problem;
  }
}

const cases = JSON.parse(readFileSync(0));
const verdicts = [];
for (const one of cases) verdicts.push(await decide(one));
console.log(JSON.stringify(verdicts));
