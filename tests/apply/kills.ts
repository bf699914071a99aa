/** Kill -9 of an apply at one of its requests, or a broken connection there, and the run after it. */
import { readApplied } from "../../adapters/live/applied.ts";
import { readJson } from "../../adapters/state/json.ts";
import { openOperationKey } from "../../core/operations/layout.ts";
import { scoreKey } from "../../core/plan/applied.ts";
import { type Score, scoreInWords } from "../../core/plan/score.ts";
import type { OpenOperation } from "../../runbooks/engine/operation.ts";
import { steerAws } from "../../sandbox/up/aws.ts";
import { type Applied, ApplyWorld, applyCaller } from "../support/apply-world.ts";
import { waitFor } from "../support/wait-for.ts";

/** The n-th request of one apply, or the n-th of one operation, before or after its effect. */
export interface Point {
  readonly nth: number;
  /** Counts this operation's requests alone, without the renewals of the lease. */
  readonly operation?: string;
  readonly when: "before" | "after";
  readonly action: "kill" | "reset";
}

const lease = /\/lease\.json$/;
/** A service and an operation, which are repeated until something has come about, or until time is up. */
const repeated = /^(dms Describe|ssm GetCommandInvocation|s3 PutObject \S+\/lease\.json$)/;

/** The requests that every apply of the same change makes as often, however slow the machine: by operation and number. */
export function steadyPoints(requests: readonly string[]): Pick<Point, "nth" | "operation">[] {
  const counts = new Map<string, number>();
  return requests
    .filter((request) => !repeated.test(request))
    .map((request) => {
      const operation = request.split(" ")[1] ?? "";
      const nth = (counts.get(operation) ?? 0) + 1;
      counts.set(operation, nth);
      return { nth, operation };
    });
}

/** An apply that is run again more often than this never finishes. */
const triesMax = 3;

function yaml(collections: readonly string[]): string {
  return [
    "version: 1",
    "tasks:",
    `  - {id: shop, database: shop, collections: [${collections.join(", ")}]}`,
    "  - {id: billing, database: billing, collections: [invoices]}",
    "",
  ].join("\n");
}

/** One world in which collection after collection is added, each by an apply that is hit once. */
export class KillBench implements AsyncDisposable {
  private readonly collections = ["orders"];

  private constructor(readonly world: ApplyWorld) {}

  static async start(): Promise<KillBench> {
    const world = await ApplyWorld.start();
    await world.source
      .db("shop")
      .collection("orders")
      .insertMany([{ a: 1 }, { a: 2 }]);
    await world.source.db("billing").collection("invoices").insertOne({ a: 1 });
    await world.begin(yaml(["orders"]));
    return new KillBench(world);
  }

  /** The requests of an apply that nothing happens to. */
  async requests(): Promise<string[]> {
    const digest = await this.addCollection();
    await this.world.requests();
    await this.finish(await this.world.run(["--digest", digest]), digest, []);
    return await this.world.requests();
  }

  /** Applies once more, hit at that point; gives how many runs it took. Throws when the end isn't what it must be. */
  async hit(point: Point): Promise<{ runs: number; fired: boolean }> {
    const untouched = await this.world.task("billing");
    const loadedBefore = await this.loads();
    const digest = await this.addCollection();
    const { nth, when, operation } = point;
    const action = point.action === "kill" ? { kill: applyCaller } : { reset: true };
    const id = `${point.action}-${nth}-${when}-${this.collections.length}`;
    const which = operation ? { operation, keyPattern: `^(?!.*${lease.source})` } : {};
    await steerAws(this.world.aws, "faults", {
      id,
      caller: applyCaller,
      ...which,
      nth,
      times: 1,
      when,
      action,
    });
    const first = await this.world.run(["--digest", digest]);
    const faults = await steerAws<{ id: string; fired: number }[]>(this.world.aws, "faults");
    const fired = faults.some((fault) => fault.id === id && fault.fired > 0);
    // One that this apply never reached would hit another run.
    await steerAws(this.world.aws, "faults", undefined, "DELETE");
    const runs = await this.finish(first, digest, [inWords(point)]);
    const now = await this.world.task("billing");
    expectSame("billing was restarted", now.startedAt, untouched.startedAt);
    expectSame("billing was made anew", now.arn, untouched.arn);
    const loads = await this.loads();
    for (const [name, startedAt] of loadedBefore)
      expectSame(`${name} was loaded again`, loads.get(name), startedAt);
    return { runs, fired };
  }

  private async loads(): Promise<Map<string, string | undefined>> {
    const { tables } = await this.world.task("shop");
    return new Map(tables.map(({ table, fullLoadStartedAt }) => [table, fullLoadStartedAt]));
  }

  /** A collection with three documents on MongoDB, in a commit; gives the plan's digest. */
  private async addCollection(): Promise<string> {
    const name = `added${this.collections.length}`;
    await this.world.source
      .db("shop")
      .collection(name)
      .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    this.collections.push(name);
    this.world.commit(yaml(this.collections));
    return (await this.world.plan()).digest;
  }

  /** Runs the same again until it is through, and sees that all is as if nothing had happened. */
  private async finish(first: Applied, digest: string, words: readonly string[]): Promise<number> {
    let ran = first;
    let runs = 1;
    for (; ran.code !== 0 && runs <= triesMax; runs++) ran = await this.world.run(["--digest", digest]);
    const said = () =>
      `${words.join()}\nfirst run: code ${first.code}\n${first.stderr}\nlast run: code ${ran.code}\n${ran.stderr}`;
    if (ran.code !== 0) throw new Error(`not through after ${runs} runs: ${said()}`);
    const { world } = this;
    const name = this.collections.at(-1)!;
    const task = await world.task("shop");
    const applied = (await readApplied(world.store, "dev"))?.document;
    const pointer = (await readJson<OpenOperation>(world.store, openOperationKey("apply")))?.value;
    const score = (await readJson<Score>(world.store, scoreKey(applied?.operationId ?? "")))?.value;
    try {
      expectSame("status of shop", task.status, "running");
      expectSame("rows loaded", task.tables.find(({ table }) => table === name)?.fullLoadRows, 3);
      expectSame("digest on record", applied?.digest, digest);
      expectSame("operation on record", applied?.operationId, pointer?.operationId);
      expectSame(
        "score",
        score && scoreInWords(score),
        `${score?.predictions} of ${score?.predictions} predictions right`,
      );
      await world.source.db("shop").collection(name).insertOne({ a: 4 });
      const count = () => world.target.db("shop").collection(name).countDocuments();
      await waitFor(`a write to ${name} to cross`, async () => (await count()) === 4);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}: ${said()}`, { cause: error });
    }
    return runs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

export function inWords({ action, when, nth, operation }: Point): string {
  return `${action} ${when} ${operation ?? "request"} ${nth}`;
}

function expectSame(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(got)}`);
}
