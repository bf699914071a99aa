import { expect, test } from "bun:test";
import { BSON } from "bson";
import fc from "fast-check";
import { documentKey } from "../bson/equality-key.ts";
import type { Change } from "./change.ts";
import { type ConflictRecord, Replay, type ReplayState, replayStart } from "./replay.ts";
import { noTail, type TailRule } from "./step.ts";
import { type Stretch, stepsOf } from "./steps.ts";
import { type History, history, namespaces, type State, uniqueFields } from "./testing/history.ts";
import { type IdChange, Killed, ModelTarget } from "./testing/model-target.ts";

interface Run {
  readonly target: ModelTarget;
  readonly changes: readonly Change[];
  /** Lengths of the stretches the log is read in, repeated; a step closes after as many events. */
  readonly stretches: readonly number[];
  /** Effects after which each life ends; the last life runs through. */
  readonly lives: readonly number[];
  readonly tail?: TailRule;
  readonly pendingBytesMax?: number;
  /** Saves that are skipped although asked for "soon". */
  readonly saves?: "all" | "few";
}

async function replayWithKills(run: Run): Promise<{ conflicts: ConflictRecord[]; state: ReplayState }> {
  let saved = replayStart;
  const conflicts: ConflictRecord[] = [];
  for (const life of [...run.lives, Number.POSITIVE_INFINITY]) {
    run.target.killIn = life;
    try {
      saved = await replayOnce(
        run,
        saved,
        (state) => {
          saved = state;
        },
        conflicts,
      );
      return { conflicts, state: saved };
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
  throw new Error("the last life was killed");
}

async function replayOnce(
  run: Run,
  start: ReplayState,
  save: (state: ReplayState) => void,
  conflicts: ConflictRecord[],
): Promise<ReplayState> {
  const tail = run.tail ?? noTail;
  const ports = {
    target: run.target,
    async save(urgency: "now" | "soon", state: () => ReplayState) {
      // Through JSON, as the checkpoint goes.
      if (urgency === "now" || run.saves !== "few") save(JSON.parse(JSON.stringify(state())));
    },
    async conflicts(records: readonly ConflictRecord[]) {
      conflicts.push(...records);
    },
    async *reread(sequences: readonly number[]) {
      for (const change of run.changes) if (sequences.includes(change.sequence)) yield change;
    },
  };
  const replay = new Replay(ports, { tail, pendingBytesMax: run.pendingBytesMax ?? 1e6 }, start);
  await replay.recall();
  const scope = new Map([["d", namespaces]]);
  const log = stretchesOf(run.changes.slice(start.sequence), run.stretches);
  const eventsMax = Math.max(...run.stretches);
  for await (const step of stepsOf(log, { scope, tail, eventsMax, bytesMax: 1e9 })) await replay.apply(step);
  await replay.finish();
  return replay.state();
}

async function* stretchesOf(changes: readonly Change[], lengths: readonly number[]): AsyncGenerator<Stretch> {
  for (let start = 0, index = 0; start < changes.length; index++) {
    const stretch = changes.slice(start, start + lengths[index % lengths.length]!);
    start += stretch.length;
    yield { changes: stretch, lastSequence: stretch.at(-1)!.sequence };
  }
}

function targetWith(state: State, idChange: IdChange, seed: number): ModelTarget {
  let random = seed;
  const target = new ModelTarget(idChange, (writes) =>
    writes
      .map((write) => {
        random = (random * 1103515245 + 12345) % 2 ** 31;
        return { write, order: random };
      })
      .sort((a, b) => a.order - b.order)
      .map(({ write }) => write),
  );
  for (const [namespace, documents] of state) {
    target.collections.set(namespace, { unique: uniqueFields, documents: new Map(documents) });
  }
  return target;
}

function shown(documents: ReadonlyMap<string, Uint8Array> | undefined): string[] {
  return [...(documents?.values() ?? [])]
    .map((image) =>
      BSON.EJSON.stringify(BSON.deserialize(image, { promoteValues: false }), { relaxed: false }),
    )
    .sort();
}

const stretches = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });

test("any history, in any windows, killed anywhere and however often, ends as the source did", async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      stretches,
      fc.array(fc.nat(80), { maxLength: 8 }),
      fc.constantFrom<IdChange>("keep-old", "take-new", "refuse"),
      fc.constantFrom(0, 60, 1e6),
      fc.constantFrom("all" as const, "few" as const),
      fc.nat(),
      async (
        { initial, changes, final }: History,
        lengths,
        lives,
        idChange,
        pendingBytesMax,
        saves,
        seed,
      ) => {
        const target = targetWith(initial, idChange, seed);
        const { conflicts, state } = await replayWithKills({
          target,
          changes,
          stretches: lengths,
          lives,
          pendingBytesMax,
          saves,
        });
        for (const namespace of namespaces) {
          expect(shown(target.collections.get(namespace)?.documents)).toEqual(shown(final.get(namespace)));
          const collection = target.collections.get(namespace);
          // A rename takes the indexes along; what is created in its place has none, as on a server.
          const renamed = changes.some(({ operation }) => operation === "rename");
          if (collection && collection.documents.size > 0 && !renamed)
            expect(collection.unique).toEqual([...uniqueFields]);
        }
        expect(conflicts).toEqual([]);
        expect(state.pending).toEqual({});
        expect(state.sequence).toBe(changes.length);
        expect(state.counts.events).toBe(changes.length);
      },
    ),
    { numRuns: Number(process.env.FC_RUNS ?? 1500) },
  );
}, 120_000);

function image(id: unknown, fields: object): { id: Uint8Array; key: string; post: Uint8Array } {
  const post = BSON.serialize({ _id: id, ...fields });
  return { id: BSON.serialize({ _id: id }), key: documentKey(post)!, post };
}

function change(sequence: number, operation: string, document: ReturnType<typeof image>): Change {
  const { id, key, post } = document;
  const common = { sequence, operation, database: "d", namespace: "d.a", id, key };
  return operation === "delete" ? common : { ...common, post };
}

const a1 = image("a", { u: 1 });
const b2 = image("b", { u: 2 });

test("two documents that swap their unique values, looked up late, end swapped and no conflict is reported", async () => {
  const target = targetWith(
    new Map([
      [
        "d.a",
        new Map([
          [a1.key, a1.post],
          [b2.key, b2.post],
        ]),
      ],
    ]),
    "keep-old",
    1,
  );
  const changes = [change(1, "update", image("a", { u: 2 })), change(2, "update", image("b", { u: 1 }))];
  const { conflicts } = await replayWithKills({ target, changes, stretches: [1], lives: [3, 4, 5] });
  expect(shown(target.collections.get("d.a")!.documents)).toEqual(
    shown(new Map(changes.map((each) => [each.key!, each.post!]))),
  );
  expect(conflicts).toEqual([]);
});

/** MongoDB's own document `t`, written behind DMS's back, holds the value the log's `a` wants. */
const own = image("t", { u: 7 });
function tailOf(policy: TailRule["policy"]): TailRule {
  return {
    policy,
    of: (_, key) => (key === own.key ? "tail" : undefined),
    holds: (_, key, held) => key === own.key && Buffer.from(held).equals(own.post),
    countIn: () => 1,
  };
}
async function collide(policy: TailRule["policy"], tail = tailOf(policy)) {
  const target = targetWith(new Map([["d.a", new Map([[own.key, own.post]])]]), "keep-old", 1);
  const changes = [change(1, "insert", image("a", { u: 7 }))];
  const outcome = await replayWithKills({ target, changes, stretches: [1], lives: [], tail }).catch(
    (error) => error,
  );
  return { outcome, held: shown(target.collections.get("d.a")!.documents) };
}

test("failback 19: what collides at the end with the tail goes by policy, with both images kept", async () => {
  const documentdb = await collide("documentdb");
  expect(documentdb.held).toEqual(shown(new Map([["a", image("a", { u: 7 }).post]])));
  expect(documentdb.outcome.conflicts).toMatchObject([
    { kind: "unique", settled: true, blockers: [{ image: own.post }] },
  ]);
  const mongodb = await collide("mongodb");
  expect(mongodb.held).toEqual(shown(new Map([["t", own.post]])));
  expect(mongodb.outcome.conflicts).toMatchObject([
    { settled: true, write: { post: image("a", { u: 7 }).post } },
  ]);
  const stop = await collide("stop");
  expect(stop.outcome).toMatchObject({ kind: "refused" });
  expect(stop.held).toEqual(shown(new Map([["t", own.post]])));
});

test("failback 19: what collides with a document the tail does not explain stays an open conflict", async () => {
  const { outcome, held } = await collide("documentdb", noTail);
  expect(outcome.conflicts).toMatchObject([{ kind: "unique", settled: false }]);
  expect(held).toEqual(shown(new Map([["t", own.post]])));
});

test("failback 17: a document in the tail and in the log is a conflict, and goes by policy", async () => {
  const changed = change(1, "update", image("t", { u: 8 }));
  for (const policy of ["documentdb", "mongodb", "stop"] as const) {
    const target = targetWith(new Map([["d.a", new Map([[own.key, own.post]])]]), "keep-old", 1);
    const run = { target, changes: [changed], stretches: [1], lives: [], tail: tailOf(policy) };
    const outcome = await replayWithKills(run).catch((error) => error);
    const expected = policy === "documentdb" ? changed.post! : own.post;
    expect(shown(target.collections.get("d.a")!.documents)).toEqual(shown(new Map([["t", expected]])));
    if (policy === "stop") expect(outcome).toMatchObject({ kind: "refused" });
    else expect(outcome.conflicts).toMatchObject([{ kind: "tail", policy, key: own.key, sequence: 1 }]);
  }
});

test("failback 17: in the margin DocumentDB's change came on top of what DMS had carried, whatever the policy", async () => {
  const changed = change(1, "update", image("t", { u: 8 }));
  for (const policy of ["documentdb", "mongodb", "stop"] as const) {
    const target = targetWith(new Map([["d.a", new Map([[own.key, own.post]])]]), "keep-old", 1);
    const tail: TailRule = { ...tailOf(policy), of: () => "margin" };
    const { conflicts } = await replayWithKills({
      target,
      changes: [changed],
      stretches: [1],
      lives: [],
      tail,
    });
    expect(shown(target.collections.get("d.a")!.documents)).toEqual(shown(new Map([["t", changed.post!]])));
    expect(conflicts).toMatchObject([{ kind: "tail", margin: true, key: own.key }]);
  }
});

test("types not known and updates whose document is gone are counted and pass", async () => {
  const target = targetWith(new Map([["d.a", new Map([[a1.key, a1.post]])]]), "keep-old", 1);
  const { post: _, ...gone } = change(2, "update", b2);
  const changes = [
    change(1, "insert", b2),
    gone,
    { sequence: 3, operation: "createIndexes", database: "d", namespace: "d.a" },
  ];
  const { state } = await replayWithKills({ target, changes, stretches: [9], lives: [] });
  expect(state.counts).toEqual({ events: 3, lookupNull: 1, passed: { "createIndexes of d.a": 1 } });
  expect(shown(target.collections.get("d.a")!.documents)).toHaveLength(2);
});
