// Runs the reading of scanned texts over cases from stdin: {card}, {names: [a, b]}, {seal} or {number} to what is found.
import { readFileSync } from "node:fs";
import { readCard, sameName, sealNumber, trackingNumber } from "../../courier_api/web/static/js/app/camera/cards.js";

const answers = JSON.parse(readFileSync(0)).map(({ card, names, seal, number }) => {
  if (card !== undefined) return readCard(card);
  if (seal !== undefined) return sealNumber(seal);
  return names ? sameName(...names) : trackingNumber(number);
});
console.log(JSON.stringify(answers));
