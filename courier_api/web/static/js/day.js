// Reads a day of rounds and its plans from the dispatchers' part of the API.
import { call } from "./api.js";
import { colourRounds } from "./colours.js";

const PAGE = 200;

export async function loadDay(token, wanted) {
  const day = wanted ?? (await latestDay(token));
  if (!day) return null;
  const [rounds, plans] = await Promise.all([allRounds(token, day), latestPlans(token, day)]);
  colourRounds(rounds);
  const done = plans.filter((plan) => plan.state === "done");
  const unplanned = await Promise.all(
    done.map((plan) =>
      call(`/dispatchers/plans/${plan.id}/unplanned`, { token }).then((jobs) =>
        jobs.map((job) => ({ ...job, half: plan.half })),
      ),
    ),
  );
  return { day, rounds, plans, unplanned: unplanned.flat() };
}

export function loadRound(token, id) {
  return call(`/dispatchers/rounds/${id}`, { token });
}

async function latestDay(token) {
  const {
    items: [round],
  } = await call("/dispatchers/rounds?limit=1", { token });
  if (round) return round.day;
  const {
    items: [plan],
  } = await call("/dispatchers/plans?limit=1", { token });
  return plan?.day ?? null;
}

async function allRounds(token, day) {
  const rounds = [];
  for (let cursor = ""; ;) {
    const path = `/dispatchers/rounds?day=${day}&limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const { features } = await call(path, { token, accept: "application/geo+json" });
    rounds.push(...features.map((feature) => ({ ...feature.properties, geometry: feature.geometry })));
    if (features.length < PAGE) return rounds;
    cursor = rounds.at(-1).id;
  }
}

// Newest first: of several plans of a half-day the last one counts.
async function latestPlans(token, day) {
  const { items } = await call(`/dispatchers/plans?day=${day}&limit=${PAGE}`, { token });
  return ["morning", "afternoon"].map((half) => items.find((plan) => plan.half === half)).filter(Boolean);
}
