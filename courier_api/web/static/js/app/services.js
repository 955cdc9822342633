// What works behind the screens while a courier is signed in: the sender and its feed, preparing a day, position, backup.
import { StorageFull, inOne, waitingEvidence } from "../device/store.js";
import { told } from "../told.js";
import { openOutbox } from "./outbox/index.js";
import { NetFault, call } from "./outbox/net.js";
import { withRoom } from "./room.js";
import { keepLater } from "./shell.js";
import { AnotherCourier } from "./shift/snapshot.js";

const LOOK_EVERY_MS = 60_000;

export async function openServices(database, session) {
  const holder = session.holder();
  const outbox = await openOutbox({ holder, told });
  const ended = new AbortController();

  return {
    outbox,
    // Once the first screen is up, which does without all this: what changed is looked for once a minute while somebody
    // looks at the phone, and whenever the network is back; one look at a time, so that no slow answer overtakes.
    async watch(phone) {
      const [{ makeFeed }, { followDuty }] = await Promise.all([import("./outbox/feed.js"), import("./duty.js")]);
      const { signal } = ended;
      if (signal.aborted) return;
      const feed = makeFeed({ database, holder, call });
      let looking = null;
      const look = () => {
        if (document.hidden || !navigator.onLine) return;
        looking ??= feed
          .once()
          .catch(noNews)
          .then(async (changes) => {
            if (!changes.length) return;
            await phone.load();
            dispatchEvent(new Event("courier:news"));
          })
          .finally(() => {
            looking = null;
          });
      };
      const every = setInterval(look, LOOK_EVERY_MS);
      addEventListener("online", look, { signal });
      document.addEventListener("visibilitychange", look, { signal });
      signal.addEventListener("abort", () => clearInterval(every));
      followDuty({ database, session, phone, signal });
      look();
    },
    // These are fetched and kept with the rest, and read when they are wanted: the first screen does without.
    prepare: async (onStep) => {
      const [{ prepare }, { tilesOf, wayOf }] = await Promise.all([
        import("./shift/prepare.js"),
        import("./map/tiles.js"),
      ]);
      const found = await prepare({
        call,
        database,
        holder,
        onStep,
        tiles: (round, doors) =>
          tilesOf(wayOf({ line: round.line, stops: doors, office: round.office }), {
            template: told.tiles,
            bounds: told.bounds,
          }),
      });
      onStep("map");
      const missing = (await keepLater()) ? found.missing : [...found.missing, "map"];
      return { ready: missing.length === 0, missing };
    },
    backup: async () => {
      const [{ sealBackup }, { asSent }] = await Promise.all([import("./backup/seal.js"), import("./outbox/batch.js")]);
      const { kid } = await session.record();
      const queue = await leaving(database, holder);
      return sealBackup(
        {
          operations: queue.map(asSent),
          evidence: waiting(database, holder),
          kid,
          person: holder.person,
          app: told.app,
        },
        told.backup_key,
      );
    },
    close() {
      ended.abort();
      outbox.close();
    },
  };
}

// Without a network there is no news, nor room for it on a full disk, and for who came meanwhile it is none of his; the
// next look has it.
function noNews(fault) {
  if (![NetFault, StorageFull, AnotherCourier].some((known) => fault instanceof known)) console.warn(fault);
  return [];
}

// What goes into a file may reach the server by it: from then on nothing of it is taken back.
function leaving(database, { person }) {
  return withRoom(() =>
    inOne(database, [database.queue], async () => {
      const rows = await database.queue.where("person").equals(person).sortBy("counter");
      const free = rows.filter(({ sent_at: at }) => at === null);
      for (const row of free) row.sent_at = Date.now();
      await database.queue.bulkPut(free); // on a full disk no more is written than must be
      return rows;
    }),
  );
}

// One photo after the other: the phone whose disk is full has little memory too.
async function* waiting({ evidence }, { person }) {
  for (const key of await waitingEvidence(evidence, person).primaryKeys()) {
    const row = await evidence.get(key);
    if (row?.bytes) yield row;
  }
}
