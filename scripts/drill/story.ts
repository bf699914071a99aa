import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Verdict, VerdictWord } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { Ledger } from "./ledger.ts";
import { type Measured, measure } from "./measure.ts";
import { idKey, newDocument } from "./model.ts";
import { PeakMemory } from "./peak-memory.ts";
import { runbook } from "./program.ts";
import { Random } from "./random.ts";
import { drillCollections, namespaceOf, outOfScope } from "./scope.ts";
import { createIndexes, insert, seedDocuments, unusualWrites } from "./seed.ts";
import { TailStory } from "./tail.ts";
import type { Timeline } from "./timeline.ts";
import type { Chaos, DrillEvidence, DrillOptions } from "./types.ts";
import { compareSides, type Judgement, judge } from "./verify.ts";
import { type Owned, Revisions, runWorkload } from "./workload.ts";
import type { World } from "./world.ts";

const workers = 4;
const quietChanges = 1_000;
const trickleRate = 50;
const slackSecondsMax = 30;

/** The story of one failback, told by the real runbooks against the stand-ins. */
export class Story {
  private readonly random: Random;
  private readonly revisions = new Revisions();
  private readonly normal = new Ledger();
  private readonly tailLedger = new Ledger();
  private readonly outage = new Ledger();
  private readonly acknowledged = new Map<number, number>();
  private readonly tail: TailStory;
  private readonly memory: PeakMemory;
  private readonly startedAt = new Date();
  private readonly origin = performance.timeOrigin + performance.now();
  private owned: Owned[] = [];
  private verdict: Verdict | undefined;
  private judgement: Judgement | undefined;
  private measured: Measured | undefined;
  private restoreFrom = 0;
  private readOnlyFrom = 0;
  private reopenedAt = 0;
  private outageChanges = 0;

  constructor(
    private readonly world: World,
    private readonly options: DrillOptions,
    private readonly timeline: Timeline,
    private readonly signal: AbortSignal,
    private readonly chaos?: Chaos,
  ) {
    this.random = new Random(options.seed);
    this.tail = new TailStory(this.random.fork(99), this.revisions);
    this.memory = new PeakMemory(world);
  }

  /** Runs it to the end, or throws where it stopped. */
  async run(): Promise<DrillEvidence> {
    const { timeline } = this;
    await Promise.all([
      timeline.step("build the world", () => this.world.build()),
      timeline.step("seed MongoDB", () => this.seed()),
    ]);
    await timeline.step("DMS: full load and CDC", () => this.fullLoad());
    await timeline.step("normal times: writes cross to DocumentDB", () => this.normalTimes());
    await timeline.step("DMS lags, MongoDB is killed", () => this.disaster());
    await timeline.step("failback-start", () => this.start());
    await timeline.step(`${this.options.changes} changes on DocumentDB`, () => this.writeDuringOutage());
    await timeline.step("MongoDB returns", () => this.world.mongodb.restart());
    await timeline.step("failback-restore", () => this.restore());
    await timeline.step("databases and ledger compared", () => this.compare());
    await timeline.step("failback-clean", () => this.clean());
    await timeline.step("failback-resume", () => this.runbook("failback-resume"));
    await timeline.step("one more write crosses", () => this.oneMoreWrite());
    if (this.world.slack) await timeline.step("Slack was told", () => this.slackTold());
    return this.evidence();
  }

  private async seed(): Promise<void> {
    const { mongodbRoot, documentdbRoot, shopOnMongodb } = this.world.clients;
    await createIndexes(mongodbRoot);
    await createIndexes(documentdbRoot);
    const random = this.random.fork(1);
    this.owned = await seedDocuments(
      shopOnMongodb,
      random,
      this.revisions,
      this.normal,
      this.options.docs,
      workers,
    );
    await this.tail.prepare(shopOnMongodb, this.normal);
    this.timeline.say(`${this.normal.size} documents in ${drillCollections.length} collections`);
  }

  private async fullLoad(): Promise<void> {
    await this.world.startTasks();
    await this.world.recordIdentity([...new Set(drillCollections.map(({ database }) => database))]);
  }

  private async normalTimes(): Promise<void> {
    const client = this.world.clients.shopOnMongodb;
    const options = { client, ledger: this.normal, changes: quietChanges, rate: 0 };
    await this.workload({ ...options, random: this.random.fork(2) });
    await this.untilEqual("DMS to carry everything over");
  }

  private async disaster(): Promise<void> {
    await this.world.pauseDms(true);
    await this.tail.onlyOnMongodb(this.world.clients.shopOnMongodb, this.tailLedger);
    await this.world.mongodb.kill();
    await this.world.pauseDms(false);
    this.timeline.say(`${this.tail.tailIds.length} documents written that DMS never saw; MongoDB is gone`);
  }

  private async start(): Promise<void> {
    await this.chaos?.arm(this.world.aws.url);
    await this.runbook("failback-start", { "stop-tasks": "true", "allow-remove": "true" });
    this.memory.watch();
  }

  private async writeDuringOutage(): Promise<void> {
    const client = this.world.clients.shop;
    const random = this.random.fork(3);
    let extra = await unusualWrites(client, random, this.revisions, this.outage);
    extra += await this.tail.alsoOnDocumentdb(client, this.outage);
    await insert(client, outOfScope, [newDocument(random, "held", this.revisions.next(), 20)], new Ledger());
    const { changes, rate } = this.options;
    const result = await this.workload({
      client,
      ledger: this.outage,
      changes: changes - extra,
      rate,
      random,
    });
    this.outageChanges = extra + result.changes;
  }

  /** The application goes on writing while restore begins, until its rights are gone. */
  private async restore(): Promise<void> {
    this.restoreFrom = performance.now();
    const trickle = this.workload({
      client: this.world.clients.shop,
      ledger: this.outage,
      changes: 1_000_000,
      rate: trickleRate,
      random: this.random.fork(4),
    }).then((result) => {
      this.readOnlyFrom = performance.now();
      this.outageChanges += result.changes;
      if (!result.refused)
        throw new Error("the application was never refused: DocumentDB did not become read-only");
    });
    await Promise.all([this.runbook("failback-restore"), trickle]);
    const failbackId = await this.world.failbackId();
    this.verdict = (await readJson<Verdict>(this.world.store, keysOf(failbackId).verdict))?.value;
    await this.memory.stop();
    this.measured = await measure(
      this.world.store,
      failbackId,
      this.world.aws.url,
      this.acknowledged,
      this.origin,
    );
  }

  private async compare(): Promise<void> {
    const { mongodbRoot, documentdbRoot } = this.world.clients;
    const written = this.outage;
    const excused = new Set(
      this.tail.tailIds
        .filter((id) => !written.has(namespaceOf(drillCollections[1]!), id))
        .map((id) => `${namespaceOf(drillCollections[1]!)} ${idKey(id)}`),
    );
    const ledgers = [this.normal, this.tailLedger, this.outage];
    const sides = { mongodb: mongodbRoot, documentdb: documentdbRoot };
    this.judgement = await judge(sides, ledgers, (namespace, id) => excused.has(`${namespace} ${id}`));
    for (const problem of this.judgement.problems) this.timeline.say(`✗ ${problem}`);
    this.timeline.say(
      `${this.judgement.documents} documents compared, ${this.outage.acknowledged} acknowledged writes held`,
    );
  }

  private async clean(): Promise<void> {
    await this.runbook("failback-clean");
    const closed = await this.world.clients.shopOnMongodb
      .db("billing")
      .command({ update: "invoices", updates: [{ q: { _id: "nobody" }, u: { $set: { x: 1 } } }] })
      .then(
        () => undefined,
        (error: Error) => error.message,
      );
    if (closed) throw new Error(`MongoDB was not reopened to the applications: ${closed}`);
    this.reopenedAt = performance.now();
  }

  private async oneMoreWrite(): Promise<void> {
    const model = newDocument(this.random, "one-more", this.revisions.next(), 10);
    await insert(this.world.clients.shopOnMongodb, drillCollections[0]!, [model], this.normal);
    await this.untilEqual("the write and the tail to cross");
  }

  /** Each change of phase once, in order: S3 and the function that it calls do it by themselves. */
  private async slackTold(): Promise<void> {
    const history = (await this.world.phases()).history.length;
    const until = performance.now() + slackSecondsMax * 1000;
    while (this.slackHeadlines().length < history && performance.now() < until) await Bun.sleep(100);
    const told = this.slackHeadlines();
    for (const line of told) this.timeline.say(line);
    if (told.length === history) return;
    throw new RoundtripError({
      kind: "unknown",
      what: "wait for Slack's messages",
      expected: `${history}, one for each change of phase, within ${slackSecondsMax} s`,
      got: `${told.length}`,
      wayOut: "look at /_sandbox/invocations of the AWS stand-in with --keep",
    });
  }

  private slackHeadlines(): string[] {
    return (this.world.slack?.messages ?? []).map(({ text }) => text.split("\n")[0] ?? "");
  }

  private async runbook(name: string, inputs: Readonly<Record<string, string>> = {}): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runbook(name, inputs, this.world.variables, {
          say: (line) => this.timeline.say(line),
          started: (pid) => void this.world.register(`runbook-${name}`, pid),
          environment: this.world.environment.environment,
          tasks: this.world.tasksFile,
          leaseSeconds: this.chaos?.leaseSeconds ?? 2,
        });
      } catch (error) {
        // A person runs a runbook again that was killed or lost its host; only a sweep of kills does so by itself.
        if (attempt >= (this.chaos?.runbookTriesMax ?? 1) || this.signal.aborted) throw error;
        this.timeline.say(
          `run again (${attempt}): ${error instanceof Error ? error.message.slice(0, 200) : error}`,
        );
      }
    }
  }

  private workload(
    options: Omit<Parameters<typeof runWorkload>[0], "collections" | "workers" | "signal" | "acknowledged">,
  ) {
    const shared = {
      collections: drillCollections.filter(({ late }) => !late),
      workers,
      signal: this.signal,
      acknowledged: ({ rev, at }: { rev: number; at: number }) => void this.acknowledged.set(rev, at),
    };
    return runWorkload({ ...shared, ...options }, this.revisions, this.owned);
  }

  /** Waits, bounded, until DocumentDB has what MongoDB has. */
  private async untilEqual(what: string): Promise<void> {
    const secondsMax = 60 + this.options.changes / 500;
    const { mongodbRoot, documentdbRoot } = this.world.clients;
    const until = performance.now() + secondsMax * 1000;
    for (;;) {
      const compared = await compareSides({ mongodb: mongodbRoot, documentdb: documentdbRoot });
      const differing = compared.filter((collection) => collection.differing.length > 0);
      if (differing.length === 0) return;
      if (performance.now() > until) {
        throw new RoundtripError({
          kind: "unknown",
          what: `wait for ${what}`,
          expected: `equal databases within ${secondsMax} s`,
          got: `${differing.map((row) => row.name).join(", ")} differ`,
          wayOut: "look at the DMS task's status and table statistics with --keep",
        });
      }
      await Bun.sleep(200);
    }
  }

  private evidence(): DrillEvidence {
    const { judgement, measured, verdict } = this;
    if (!judgement || !measured) throw new Error("the story ended without a judgement");
    const reasons = [...(verdict?.reasons ?? ["restore left no verdict"]), ...judgement.problems];
    const word: VerdictWord = judgement.problems.length > 0 ? "DIFFERS" : (verdict?.verdict ?? "UNKNOWN");
    return {
      result: {
        verdict: word,
        reasons,
        seed: this.options.seed,
        world: this.world.building,
        changes: this.outageChanges,
        captured: measured.captured,
        applied: verdict?.applied ?? 0,
        tail: verdict?.tail ?? 0,
        conflicts: verdict?.conflicts ?? 0,
        rpoMsP50: measured.p50,
        rpoMsP99: measured.p99,
        rtoMs: Math.round(this.reopenedAt - this.restoreFrom),
        readOnlyMs: Math.round(this.reopenedAt - this.readOnlyFrom),
        steps: this.timeline.steps.map(({ name, from, to }) => ({
          name,
          ms: Math.round((to - from) * 1000),
        })),
        ...(this.world.slack ? { slack: this.slackHeadlines() } : {}),
        peakMiB: this.memory.peakMiB,
      },
      startedAt: this.startedAt.toISOString(),
      steps: this.timeline.steps,
      rpo: measured.rpo,
      captured: measured.perSecond,
      collections: judgement.collections,
      tailIds: this.tail.tailIds.map(String),
      conflictIds: this.tail.conflictIds.map(String),
    };
  }
}
