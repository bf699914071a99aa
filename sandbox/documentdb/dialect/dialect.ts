/** From a request to what is done with it. */
import { unsupported } from "../errors.ts";
import type { Decision, Session } from "../session.ts";
import { field, type Request } from "../wire/messages.ts";
import { Type } from "../wire/raw.ts";
import { collMod, create, createIndexes, listCollections, listDatabases, listIndexes } from "./catalog.ts";
import { buildInfo, engineVersion, greet, serverStatus } from "./greeting.ts";
import {
  refuseOnReader,
  refuseOperators,
  refuseOptions,
  refuseSessionFeatures,
  refuseStages,
  refuseSystemCollections,
  stagesOf,
  supportedCommands,
} from "./refusals.ts";
import { sandboxCommand } from "./sandbox.ts";
import type { DialectSession } from "./shared.ts";
import { getMore, killCursors, listChangeStreams, modifyChangeStreams, openStream } from "./streams.ts";
import { userCommand, userCommands } from "./users.ts";

type Handler = (request: Request, session: DialectSession) => Decision | Promise<Decision>;

const pass: Decision = { forward: true };

function aggregate(request: Request, session: DialectSession): Decision | Promise<Decision> {
  const stages = stagesOf(request);
  if (stages[0]?.name === "$changeStream") return openStream(request, session);
  if (stages[0]?.name === "$listChangeStreams") return listChangeStreams(request, session);
  refuseStages(request, session.shared.engineVersion);
  return pass;
}

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["hello", greet],
  ["isMaster", greet],
  ["ismaster", greet],
  ["buildInfo", buildInfo],
  ["buildinfo", buildInfo],
  ["serverStatus", serverStatus],
  ["getEngineVersion", engineVersion],
  ["aggregate", aggregate],
  ["getMore", getMore],
  ["killCursors", killCursors],
  ["modifyChangeStreams", modifyChangeStreams],
  ["listDatabases", listDatabases],
  ["listCollections", listCollections],
  ["listIndexes", listIndexes],
  ["create", create],
  ["collMod", collMod],
  ["createIndexes", createIndexes],
  ["_sandbox", sandboxCommand],
]);

const filters = ["filter", "query"] as const;

/** Decides without touching the network wherever it can: most requests pass as the bytes they are. */
export function dialect(request: Request, plain: Session): Decision | Promise<Decision> {
  const session = plain as DialectSession;
  const { engineVersion: version } = session.shared;
  refuseSessionFeatures(request, version);
  refuseSystemCollections(request);
  if (session.endpoint.isReader) refuseOnReader(request, version);
  const handler = handlers.get(request.command);
  if (handler) {
    if (request.command === "aggregate") refuseOptions(request);
    return handler(request, session);
  }
  if (userCommands.has(request.command)) return userCommand(request, session);
  if (!supportedCommands.has(request.command)) throw unsupported(request.command);
  refuseOptions(request);
  for (const name of filters) {
    const filter = field(request, name);
    if (filter?.type === Type.Document) refuseOperators(request.body, filter.value, version);
  }
  return pass;
}
