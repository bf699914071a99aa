import { rm } from "node:fs/promises";
import { join } from "node:path";
import { archiveStream } from "../../adapters/dump/archive-stream.ts";
import { configurationText, connectionString } from "../../adapters/dump/configuration.ts";
import { restoreArchive } from "../../adapters/dump/mongorestore.ts";
import { operationTime } from "../../adapters/mongo/replica-set.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { objectPieces } from "../../adapters/state/object-pieces.ts";
import {
  type DrTestRequest,
  type DrTestResult,
  drTestDatabase,
  drTestDocuments,
  drTestId,
  drTestKeys,
  drTestSchedule,
  objectiveWords,
  passed,
  shortfall,
} from "../../core/backup/dr-test.ts";
import { backupTags, requestKey } from "../../core/backup/layout.ts";
import { nextTimes, parseSchedule } from "../../core/backup/schedule.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Databases, Server } from "../access/databases.ts";
import { dumpToBucket } from "../dump/dump-to-bucket.ts";
import { withPrivateFile } from "../dump/private-file.ts";
import { asForeseen, isPassing } from "../runtime/asked-for.ts";
import { assertNormalTimes, recordRun } from "../runtime/backup-run.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { flushMs, isArchived, replayHeartbeats } from "./archived.ts";
import { claimDatabase, compareDocuments, heartbeatsCollection, releaseDatabase, seed } from "./database.ts";
import { type Heartbeat, Heartbeats } from "./heartbeats.ts";
import { type Loss, measure } from "./measure.ts";

const verb = "dr-test";
/** A disaster comes when it comes: near the end of a flush interval, so that what is told is near the worst. */
const partOfFlush = 0.9;

export interface DrTestTools {
  readonly service: ServiceContext;
  readonly databases: Databases;
  readonly mongodump: string;
  readonly mongorestore: string;
  /** Where configuration files lie while the tools run. */
  readonly directory: string;
}

/**
 * Runs one test of the way back on data of its own and keeps what it found. Fails `differs` when a document isn't back as
 * it was or an objective is missed. Killed anywhere, the next run drops what it left and begins anew.
 */
export function runDrTest(tools: DrTestTools): Promise<void> {
  const { service } = tools;
  const next = async () => nextTimes(parseSchedule(drTestSchedule), service.clock.now(), 1)[0]?.toISOString();
  return recordRun(service, verb, next, async () => {
    const request = (await readJson<DrTestRequest>(service.store, requestKey(verb)))?.value;
    try {
      await assertNormalTimes(service, "test the way back");
      await testOnce(tools, request);
    } catch (error) {
      service.signal.throwIfAborted();
      if (isPassing(error)) throw error;
      await forget(service);
      throw asForeseen(error, "test the way back");
    }
    await forget(service);
    return {};
  });
}

async function forget({ store }: ServiceContext): Promise<void> {
  await store.delete([requestKey(verb)]);
}

async function testOnce(tools: DrTestTools, request: DrTestRequest | undefined): Promise<void> {
  const { service, databases } = tools;
  const id = drTestId(service.clock.now());
  service.status.update({ state: "running", detail: { test: id, stage: "begins" } });
  const server = await databases.open("mongodb");
  const result = await new DrTest(tools, server, id, request).run();
  service.logger.info({ test: id, verdict: result.verdict }, objectiveWords(result.objectives));
  if (!passed(result)) throw notPassed(result);
}

class DrTest {
  private readonly count: number;
  private readonly configurationPath: string;

  constructor(
    private readonly tools: DrTestTools,
    private readonly server: Server,
    private readonly id: string,
    private readonly request: DrTestRequest | undefined,
  ) {
    this.count = request?.documents ?? drTestDocuments;
    this.configurationPath = join(tools.directory, "mongorestore-dr-test.yaml");
  }

  async run(): Promise<DrTestResult> {
    const { service } = this.tools;
    const startedAt = service.clock.now().toISOString();
    await this.guarded("claim the test's database", (client) => claimDatabase(service, client, this.id));
    let found: Pick<DrTestResult, "verdict" | "objectives" | "findings">;
    try {
      found = await this.loseAndRestore();
    } catch (error) {
      service.signal.throwIfAborted();
      await this.write(
        { verdict: "UNKNOWN", objectives: [], findings: [String((error as Error).message)] },
        startedAt,
      );
      throw error;
    } finally {
      await this.cleanUp();
    }
    return this.write(found, startedAt);
  }

  private async loseAndRestore(): Promise<Pick<DrTestResult, "verdict" | "objectives" | "findings">> {
    const { clock } = this.tools.service;
    const loss = await this.backUpAndLose();
    const lostMs = clock.monotonicMs();
    this.stage("restore");
    await this.restore(loss);
    this.stage("compare");
    const findings = await this.guarded("compare the documents", (client) =>
      compareDocuments(client, this.id, this.count, this.tools.service),
    );
    const backMs = clock.monotonicMs() - lostMs;
    const { objectives, lost } = await measure(this.tools.service, this.server.client, loss, backMs);
    return {
      verdict: findings.length > 0 ? "DIFFERS" : "PROVEN",
      objectives,
      findings: [...findings, lost],
    };
  }

  private async backUpAndLose(): Promise<Loss> {
    const { service } = this.tools;
    const { clock, signal } = service;
    const { client } = this.server;
    this.stage("seed");
    await this.guarded("write the test's documents", () => seed(client, this.id, this.count, service));
    const after = await operationTime(client);
    const heartbeats = new Heartbeats(
      client.db(drTestDatabase).collection<Heartbeat>(heartbeatsCollection),
      clock,
    );
    try {
      this.stage("backup");
      await this.dump();
      this.stage("wait for the oplog's archive");
      const archived = await isArchived(service, await operationTime(client));
      if (archived) await clock.sleep(flushMs(service) * partOfFlush, signal);
      await this.guarded("write heartbeats", () => heartbeats.stop());
      const at = clock.now();
      await client.db(drTestDatabase).dropDatabase();
      return { at, heartbeats: heartbeats.written, archived, after };
    } finally {
      await heartbeats.stop().catch(() => {});
    }
  }

  private dump(): Promise<unknown> {
    const { service, mongodump, directory } = this.tools;
    return dumpToBucket(service, {
      name: verb,
      secretName: service.environment.mongodb.secret,
      executable: mongodump,
      directory,
      database: drTestDatabase,
      key: drTestKeys(this.id).archive,
      compression: "gzip",
      put: { tags: backupTags },
      bytesExpected: 0,
      detail: { test: this.id, stage: "backup" },
    });
  }

  private async restore(loss: Loss): Promise<void> {
    const { service, mongorestore, directory } = this.tools;
    const { store, signal, secrets, environment } = service;
    const key = drTestKeys(this.id).archive;
    const head = await store.head(key);
    if (!head) throw new Error(`the test's archive ${key} is gone`);
    const secretName = environment.mongodb.secret;
    const uri = connectionString(await secrets.get(secretName), secretName);
    const tool = { executable: mongorestore, configurationPath: this.configurationPath };
    await withPrivateFile(this.configurationPath, configurationText(uri), async () => {
      await restoreArchive(archiveStream(objectPieces(store, key, head), "gzip"), {
        ...tool,
        words: [`--nsInclude=${drTestDatabase}.*`],
        what: `restore ${drTestDatabase} with secret ${secretName}`,
        signal,
      });
      if (loss.archived) await replayHeartbeats({ ...tool, service, directory }, loss.after, loss.at);
    });
  }

  private async write(
    found: Pick<DrTestResult, "verdict" | "objectives" | "findings">,
    startedAt: string,
  ): Promise<DrTestResult> {
    const { store, clock, environment } = this.tools.service;
    const result: DrTestResult = {
      version: 1,
      id: this.id,
      environment: environment.environment,
      ...(this.request ? { request: this.request.request } : {}),
      startedAt,
      finishedAt: clock.now().toISOString(),
      documents: this.count,
      ...found,
    };
    await writeJson(store, drTestKeys(this.id).result, result);
    return result;
  }

  /** Also after a failure. What stays is known by the record in the bucket, and dropped by the next test. */
  private async cleanUp(): Promise<void> {
    const { service, directory } = this.tools;
    try {
      await service.store.delete([drTestKeys(this.id).archive]);
      await rm(join(directory, "dr-test-oplog.bson"), { force: true });
      await releaseDatabase(service, this.server.client);
    } catch (error) {
      service.logger.warn({ error: String(error) }, "the test was not cleaned up: the next one does it");
    }
  }

  private stage(stage: string): void {
    this.tools.service.status.update({ state: "running", detail: { test: this.id, stage } });
  }

  private async guarded<T>(what: string, work: (client: Server["client"]) => Promise<T>): Promise<T> {
    try {
      return await work(this.server.client);
    } catch (error) {
      this.tools.service.signal.throwIfAborted();
      throw this.server.failure(error, what);
    }
  }
}

function notPassed(result: DrTestResult): RoundtripError {
  return new RoundtripError({
    kind: "differs",
    what: `test the way back (${result.id})`,
    expected: "every document back, and RTO and RPO met",
    got: shortfall(result),
    wayOut:
      result.verdict === "PROVEN"
        ? "for RPO see oplog-archive.service and its lag, for RTO the size of the backup and the machine (docs/backups.md)"
        : "don't rely on backups until this is understood: run verify-backup, and roundtrip logs dr-test",
  });
}
