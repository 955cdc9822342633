// Runs the reading of scanned texts over cases from stdin: {card}, {names: [a, b]} or {number} to what is found.
import { readFileSync } from "node:fs";
import { readCard, sameName, trackingNumber } from "../../courier_api/web/static/js/app/camera/cards.js";

const answers = JSON.parse(readFileSync(0)).map(({ card, names, number }) => {
  if (card !== undefined) return readCard(card);
  return names ? sameName(...names) : trackingNumber(number);
});
console.log(JSON.stringify(answers));
