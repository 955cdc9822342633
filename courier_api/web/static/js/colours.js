// One colour for each courier: dark enough for white figures on it, apart from the neighbours' at the same office.
const PALETTE = [
  "#b3261e", "#1a5fb4", "#1d7044", "#7b3f9e", "#a14a00", "#006d77",
  "#ad1a68", "#4f5b00", "#3d46c2", "#6d4326", "#00695c", "#8c1d40",
];

export function colourRounds(rounds) {
  const couriers = new Map();
  const inOrder = [...rounds].sort((a, b) => order(a).localeCompare(order(b)));
  for (const { courier } of inOrder) {
    if (!couriers.has(courier.id)) couriers.set(courier.id, PALETTE[couriers.size % PALETTE.length]);
  }
  for (const round of rounds) round.colour = couriers.get(round.courier.id);
}

const order = (round) => `${round.office.code} ${round.courier.id}`;
