// What would be taken back with an operation: it, and all that the same key has signed after it, for the counters go on
// from there. Nothing is, once one of them may have left the phone. Pure.
export function takenBackWith(queue, { id }) {
  const first = queue.find((one) => one.id === id);
  if (!first) return [];
  const all = queue.filter(({ kid, counter }) => kid === first.kid && counter >= first.counter);
  return all.every(({ sent_at: sent }) => sent === null) ? all : [];
}
