/** Finds and runs the operation a case names. */
import {
  AbstractCursor,
  ChangeStream,
  ClientSession,
  Collection,
  Db,
  type Document,
  GridFSBucket,
  MongoClient,
} from "mongodb";
import { driverOptions } from "../driver-options.ts";
import { NotApplicable } from "../entities.ts";
import { differenceOfError } from "../errors.ts";
import { difference } from "../match.ts";
import type { Operation } from "../schema.ts";
import { bucketOperations } from "./bucket.ts";
import { collectionOperations } from "./collection.ts";
import { cursorOperations } from "./cursor.ts";
import { clientOperations, databaseOperations } from "./database.ts";
import { sessionOperations } from "./session.ts";
import type { Table } from "./table.ts";
import { type TestRunner, testRunnerOperations } from "./test-runner.ts";

/** An assertion of a case that doesn't hold. */
export class Unmatched extends Error {}

function tableOf(target: unknown): Table<never> {
  if (target instanceof MongoClient) return clientOperations;
  if (target instanceof Db) return databaseOperations;
  if (target instanceof Collection) return collectionOperations;
  if (target instanceof ClientSession) return sessionOperations;
  if (target instanceof GridFSBucket) return bucketOperations;
  if (target instanceof ChangeStream || target instanceof AbstractCursor) return cursorOperations;
  throw new NotApplicable("operations on an entity of this kind");
}

/** Errors of operations in the callback reach `withTransaction`, wanted or not. */
function withTransaction(
  runner: TestRunner,
  session: ClientSession,
  { callback, ...options }: Document,
): Promise<unknown> {
  return session.withTransaction(
    async () => {
      for (const operation of callback as Operation[]) {
        const error = await runOperation(runner, operation);
        if (error !== undefined) throw error;
      }
    },
    driverOptions(options, runner.entities),
  );
}

async function call(runner: TestRunner, { name, object, arguments: given }: Operation): Promise<unknown> {
  if (object === "testRunner") {
    const special = testRunnerOperations[name];
    if (!special) throw new NotApplicable(`operation ${name} of the test runner`);
    return special(runner, given ?? {});
  }
  const target = runner.entities.get(object);
  if (target instanceof ClientSession && name === "withTransaction")
    return withTransaction(runner, target, given ?? {});
  const operation = tableOf(target)[name];
  if (!operation) throw new NotApplicable(`the driver has no ${name}`);
  return operation(target as never, driverOptions(given, runner.entities));
}

/**
 * Runs one operation and checks its result or error.
 * @returns the driver's error when there was one and the case wants or ignores it
 * @throws Unmatched naming the first difference; NotApplicable when the driver or this runner lacks the operation
 */
export async function runOperation(runner: TestRunner, operation: Operation): Promise<unknown> {
  const { name, object, expectError, ignoreResultAndError, saveResultAsEntity } = operation;
  const path = `${object}.${name}`;
  let result: unknown;
  try {
    result = await call(runner, operation);
  } catch (error) {
    if (error instanceof NotApplicable || error instanceof Unmatched) throw error;
    if (ignoreResultAndError) return error;
    if (!expectError) throw new Unmatched(`${path}: expected no error, got ${error}`, { cause: error });
    const found = differenceOfError(expectError, error, runner.entities);
    if (found) throw new Unmatched(`${path}: ${found}`, { cause: error });
    return error;
  }
  if (ignoreResultAndError) return undefined;
  if (expectError)
    throw new Unmatched(`${path}: expected an error (${JSON.stringify(expectError)}), got none`);
  if ("expectResult" in operation) {
    const isRoot = name !== "distinct";
    const found = difference(operation.expectResult, result, { entities: runner.entities, path, isRoot });
    if (found) throw new Unmatched(found);
  }
  if (saveResultAsEntity) runner.entities.set(saveResultAsEntity, result);
  return undefined;
}
