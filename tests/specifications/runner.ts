/** Runs the cases of one file against a server: passed, failed with the first difference, or not applicable with the reason. */
import { MongoClient } from "mongodb";
import { limitOf } from "./driver-limits.ts";
import { Entities, NotApplicable } from "./entities.ts";
import { differenceOfEvents } from "./events.ts";
import { difference } from "./match.ts";
import { runOperation, Unmatched } from "./operations/index.ts";
import type { TestRunner } from "./operations/test-runner.ts";
import { type ServerFacts, unmetRequirement } from "./requirements.ts";
import type { Case, CaseFile, CollectionData, NamedFile } from "./schema.ts";

const caseTimeoutMs = 30_000;

export interface Outcome {
  readonly file: string;
  readonly test: string;
  readonly result: "passed" | "failed" | "notApplicable";
  /** The first difference of a failure, or why the case isn't applicable. */
  readonly reason?: string;
}

export class Runner {
  private constructor(
    private readonly uri: string,
    private readonly internal: MongoClient,
    private readonly facts: ServerFacts,
  ) {}

  /** Connects the runner's own client and asks the server what it is. */
  static async connect(uri: string): Promise<Runner> {
    const internal = await new MongoClient(uri).connect();
    const admin = internal.db("admin");
    const { versionArray } = await admin.command({ buildInfo: 1 });
    const parameters = await admin.command({ getParameter: "*" });
    return new Runner(uri, internal, {
      version: versionArray.slice(0, 3),
      topology: "replicaset",
      parameters,
    });
  }

  close(): Promise<void> {
    return this.internal.close(true);
  }

  /** @param chosen takes a case's description and says whether to run it */
  async runFile(
    { path, content }: NamedFile,
    chosen: (test: string) => boolean = () => true,
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const test of content.tests) {
      if (!chosen(test.description)) continue;
      outcomes.push({ file: path, test: test.description, ...(await this.#runCase(path, content, test)) });
    }
    return outcomes;
  }

  async #runCase(path: string, file: CaseFile, test: Case): Promise<Pick<Outcome, "result" | "reason">> {
    const reason =
      test.skipReason ??
      unmetRequirement(file.runOnRequirements, this.facts) ??
      unmetRequirement(test.runOnRequirements, this.facts) ??
      limitOf(path, test);
    if (reason) return { result: "notApplicable", reason };
    const entities = new Entities(this.uri);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Unmatched(`no end within ${caseTimeoutMs} ms`)),
      caseTimeoutMs,
    );
    try {
      await Promise.race([late.promise, this.#execute({ file, test, entities })]);
      return { result: "passed" };
    } catch (error) {
      if (error instanceof NotApplicable) return { result: "notApplicable", reason: error.message };
      return {
        result: "failed",
        reason: error instanceof Unmatched ? error.message : String((error as Error).stack),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  async #execute({
    file,
    test,
    entities,
  }: {
    file: CaseFile;
    test: Case;
    entities: Entities;
  }): Promise<void> {
    const runner: TestRunner = { entities, internal: this.internal, failPoints: new Set() };
    try {
      for (const data of file.initialData ?? []) await this.#prepare(data);
      await this.#operate(runner, file, test);
      for (const expected of test.expectEvents ?? []) fail(differenceOfEvents(expected, entities));
      for (const data of test.outcome ?? []) await this.#checkOutcome(data, entities);
    } finally {
      await entities.close();
    }
  }

  async #operate(runner: TestRunner, file: CaseFile, test: Case): Promise<void> {
    try {
      await runner.entities.create(file.createEntities ?? []);
      for (const operation of test.operations) await runOperation(runner, operation);
    } finally {
      runner.entities.stopRecording();
      for (const name of runner.failPoints)
        await this.internal.db("admin").command({ configureFailPoint: name, mode: "off" });
    }
  }

  async #prepare({ databaseName, collectionName, createOptions, documents }: CollectionData): Promise<void> {
    const database = this.internal.db(databaseName);
    const writeConcern = { w: "majority" } as const;
    await database.dropCollection(collectionName, { writeConcern });
    const collection = await database.createCollection(collectionName, { ...createOptions, writeConcern });
    if (documents.length > 0) await collection.insertMany([...documents], { writeConcern });
  }

  async #checkOutcome(
    { databaseName, collectionName, documents }: CollectionData,
    entities: Entities,
  ): Promise<void> {
    const collection = this.internal.db(databaseName).collection(collectionName);
    const found = await collection.find({}, { sort: { _id: 1 }, readConcern: { level: "local" } }).toArray();
    fail(difference(documents, found, { entities, path: `${databaseName}.${collectionName} afterwards` }));
  }
}

function fail(found: string | undefined): void {
  if (found) throw new Unmatched(found);
}
