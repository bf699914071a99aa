/** The special operations of the object `testRunner`. */
import { ClientSession, type Document, type MongoClient } from "mongodb";
import type { Entities } from "../entities.ts";
import { difference, show } from "../match.ts";
import type { EntityDefinition } from "../schema.ts";

const eventTimeoutMs = 10_000;

export interface TestRunner {
  readonly entities: Entities;
  /** The runner's own client, on the same server. */
  readonly internal: MongoClient;
  /** Names of fail points to switch off after the case. */
  readonly failPoints: Set<string>;
}

type Special = (runner: TestRunner, args: Document) => unknown;

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

function session(runner: TestRunner, args: Document): ClientSession {
  return runner.entities.of(args.session, ClientSession);
}

function lastTwoLsids(runner: TestRunner, args: Document): [unknown, unknown] {
  const started = runner.entities
    .recorder(args.client)
    .events.filter(({ name }) => name === "commandStartedEvent");
  const [first, second] = started.slice(-2).map(({ event }) => event.command.lsid);
  check(first !== undefined && second !== undefined, "expected two commands with an lsid");
  return [first, second];
}

function areEqual(runner: TestRunner, [first, second]: [unknown, unknown]): boolean {
  return difference(first, second, { entities: runner.entities, path: "lsid" }) === undefined;
}

async function hasCollection(runner: TestRunner, args: Document): Promise<boolean> {
  const found = runner.internal.db(args.databaseName).listCollections({ name: args.collectionName });
  return (await found.toArray()).length > 0;
}

async function hasIndex(runner: TestRunner, args: Document): Promise<boolean> {
  const collection = runner.internal.db(args.databaseName).collection(args.collectionName);
  // A collection that isn't there has no index.
  const found = await collection
    .listIndexes()
    .toArray()
    .catch(() => []);
  return found.some(({ name }: Document) => name === args.indexName);
}

async function waitForEvent({ entities }: TestRunner, { client, event, count }: Document): Promise<void> {
  const deadline = performance.now() + eventTimeoutMs;
  while (entities.recorder(client).count(event, entities) < count) {
    check(performance.now() < deadline, `waited ${eventTimeoutMs} ms in vain for ${count} × ${show(event)}`);
    await Bun.sleep(5);
  }
}

export const testRunnerOperations: Readonly<Record<string, Special>> = {
  assertCollectionExists: async (runner, args) =>
    check(await hasCollection(runner, args), `expected the collection ${args.collectionName}`),
  assertCollectionNotExists: async (runner, args) =>
    check(!(await hasCollection(runner, args)), `expected no collection ${args.collectionName}`),
  assertIndexExists: async (runner, args) =>
    check(await hasIndex(runner, args), `expected the index ${args.indexName}`),
  assertIndexNotExists: async (runner, args) =>
    check(!(await hasIndex(runner, args)), `expected no index ${args.indexName}`),
  assertDifferentLsidOnLastTwoCommands: (runner, args) =>
    check(!areEqual(runner, lastTwoLsids(runner, args)), "expected different lsids"),
  assertSameLsidOnLastTwoCommands: (runner, args) =>
    check(areEqual(runner, lastTwoLsids(runner, args)), "expected the same lsid twice"),
  assertSessionDirty: (runner, args) =>
    check(session(runner, args).serverSession.isDirty, `expected ${args.session} dirty`),
  assertSessionNotDirty: (runner, args) =>
    check(!session(runner, args).serverSession.isDirty, `expected ${args.session} not dirty`),
  assertSessionPinned: (runner, args) =>
    check(session(runner, args).isPinned, `expected ${args.session} pinned`),
  assertSessionUnpinned: (runner, args) =>
    check(!session(runner, args).isPinned, `expected ${args.session} not pinned`),
  assertSessionTransactionState: (runner, args) => {
    const states: Record<string, string> = {
      none: "NO_TRANSACTION",
      starting: "STARTING_TRANSACTION",
      in_progress: "TRANSACTION_IN_PROGRESS",
      committed: "TRANSACTION_COMMITTED",
      aborted: "TRANSACTION_ABORTED",
    };
    const { state } = session(runner, args).transaction as unknown as { state: string };
    check(state === states[args.state], `expected the transaction ${args.state}, got ${state}`);
  },
  assertEventCount: ({ entities }, { client, event, count }) => {
    const seen = entities.recorder(client).count(event, entities);
    check(seen === count, `expected ${count} × ${show(event)}, got ${seen}`);
  },
  createEntities: ({ entities }, args) => entities.create(args.entities as EntityDefinition[]),
  failPoint: async (runner, { client, failPoint }) => {
    runner.failPoints.add(failPoint.configureFailPoint);
    await runner.entities.client(client).db("admin").command(failPoint, { readPreference: "primary" });
  },
  wait: (_, { ms }) => Bun.sleep(ms),
  waitForEvent,
};
