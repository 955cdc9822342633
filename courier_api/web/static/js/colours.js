// One colour for each courier, apart from the neighbours' at the same office. On a light ground the colours are dark
// enough for white figures on them, on a dark ground light enough for dark ones.
const ON_LIGHT = [
  "#b3261e",
  "#1a5fb4",
  "#1d7044",
  "#7b3f9e",
  "#a14a00",
  "#006d77",
  "#ad1a68",
  "#4f5b00",
  "#3d46c2",
  "#6d4326",
  "#00695c",
  "#8c1d40",
];
const ON_DARK = [
  "#ff8f85",
  "#7db8ff",
  "#6fd39b",
  "#cf9bf0",
  "#ffab66",
  "#5fd0db",
  "#ff8cc4",
  "#c3d15a",
  "#a3abff",
  "#d9a883",
  "#6fdcca",
  "#f0a3b8",
];
export const dark = matchMedia("(prefers-color-scheme: dark)").matches;
export const figures = dark ? "#14181d" : "#ffffff"; // the colour of numbers on them
const PALETTE = dark ? ON_DARK : ON_LIGHT;

export function colourRounds(rounds) {
  const couriers = new Map();
  const inOrder = [...rounds].sort((a, b) => order(a).localeCompare(order(b)));
  for (const { courier } of inOrder) {
    if (!couriers.has(courier.id)) couriers.set(courier.id, PALETTE[couriers.size % PALETTE.length]);
  }
  for (const round of rounds) round.colour = couriers.get(round.courier.id);
}

const order = (round) => `${round.office.code} ${round.courier.id}`;
