/** The Stable API: which version a client declares, and what it may use under `apiStrict`. */
import { ServerError } from "../engine/errors.ts";
import { isDocument } from "../engine/value.ts";
import type { CommandContext } from "./context.ts";

const IN_VERSION_1 = new Set([
  "abortTransaction",
  "aggregate",
  "bulkWrite",
  "collMod",
  "commitTransaction",
  "count",
  "create",
  "createIndexes",
  "delete",
  "drop",
  "dropDatabase",
  "dropIndexes",
  "endSessions",
  "explain",
  "find",
  "findAndModify",
  "getMore",
  "hello",
  "insert",
  "killCursors",
  "listCollections",
  "listDatabases",
  "listIndexes",
  "ping",
  "refreshSessions",
  "saslContinue",
  "saslStart",
  "testDeprecation",
  "testVersions1And2",
  "update",
]);
const STAGES_OUTSIDE = new Set([
  "$currentOp",
  "$indexStats",
  "$listLocalSessions",
  "$listSessions",
  "$planCacheStats",
  "$search",
  "$listSearchIndexes",
]);

/** @throws ServerError 4886600, APIVersionError (322), APIStrictError (323), 498870 */
export function checkApiVersion(context: CommandContext): void {
  const { body, command } = context;
  const version = body.get("apiVersion");
  if (version === undefined) {
    if (body.has("apiStrict") || body.has("apiDeprecationErrors")) {
      throw new ServerError(
        4886600,
        "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion",
      );
    }
    if (context.server.parameters.isOn("requireApiVersion") && command.name !== "hello") {
      throw new ServerError(
        498870,
        "The apiVersion parameter is required, please configure your MongoClient's API version",
      );
    }
    return;
  }
  if (version !== "1") throw new ServerError("APIVersionError", `API version must be "1"`);
  if (body.get("apiStrict") !== true) return;
  const stage = outsideStage(context);
  if (IN_VERSION_1.has(command.name) && stage === undefined) return;
  const what = stage === undefined ? `the command ${context.name}` : `the aggregation stage ${stage}`;
  throw new ServerError(
    "APIStrictError",
    `Provided apiStrict:true, but ${what} is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api`,
  );
}

function outsideStage(context: CommandContext): string | undefined {
  const pipeline = context.body.get("pipeline");
  const first = Array.isArray(pipeline) ? pipeline[0] : undefined;
  const [name] = isDocument(first) ? first.keys() : [];
  return name !== undefined && STAGES_OUTSIDE.has(name) ? name : undefined;
}
