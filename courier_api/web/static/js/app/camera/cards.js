// What stands in scanned codes: identity cards, tracking numbers, our own receipts. Pure.
import { NoReceipt, read, unpack } from "../../verify/receipt.js";

const S10 = /(?<!\w)[A-Z]{2}(?: ?\d){9} ?[A-Z]{2}(?!\w)/g;
const SEAL = /^(?=.*\d)[A-Z\d][A-Z\d-]{3,18}[A-Z\d]$/i; // as they are printed: some with a dash between series and number
const WEIGHTS = [8, 6, 4, 2, 3, 5, 9, 7];
const RECEIPT = /#\s*\d{600}/; // its address, with more digits than any other has

// The code of an identity card: number|old number|name|DDMMYYYY|sex|address|issued; newer cards add fields. Else null.
export function readCard(text) {
  const fields = text
    .normalize("NFC")
    .split("|")
    .map((field) => field.trim());
  const [number, old, name, born, sex, address, issued] = fields;
  const numbered = /^\d{12}$/.test(number) && /^(\d{9}|\d{12})?$/.test(old);
  if (fields.length < 7 || !numbered || !/\p{L}/u.test(name) || !/^\d{8}$/.test(born)) return null;
  return { number, old: old || null, name, born: dayOf(born), sex, address, issued: dayOf(issued) };
}

// YYYY-MM-DD; null for what is no day: of some people only the year of birth is known.
function dayOf(text) {
  const [, day, month, year] = /^(\d\d)(\d\d)(\d{4})$/.exec(text) ?? [];
  const iso = `${year}-${month}-${day}`;
  const date = new Date(`${iso}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : null;
}

// Whether two spellings are one name: accents, case and blanks do not count.
export function sameName(a, b) {
  const name = letters(a);
  return name !== "" && name === letters(b);
}

const letters = (name) => (name ?? "").normalize("NFD").toLowerCase().replaceAll("đ", "d").replace(/\P{L}/gu, "");

// The tracking number in a scanned text: by itself, in an address, or in a receipt's code. Null where none holds.
export function trackingNumber(text) {
  const within = RECEIPT.test(text) ? numberOf(text) : text;
  const numbers = within.toUpperCase().match(S10) ?? [];
  return numbers.map((number) => number.replaceAll(" ", "")).find(holds) ?? null;
}

// The number of a seal in a bar code; null for what cannot be one, an item's number among it whatever its check digit.
export function sealNumber(text) {
  const number = text.trim();
  return SEAL.test(number) && !/^[A-Z]{2}\d{9}[A-Z]{2}$/i.test(number) ? number : null;
}

function numberOf(receipt) {
  try {
    return unpack(read(receipt)).says.number;
  } catch (fault) {
    if (fault instanceof NoReceipt) return "";
    throw fault;
  }
}

// The check digit of S10, as courier_api/dossiers/numbers.py reckons it.
function holds(number) {
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(number[2 + at]), 0);
  const digit = 11 - (sum % 11);
  return Number(number[10]) === ({ 10: 0, 11: 5 }[digit] ?? digit);
}
