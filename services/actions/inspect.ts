import { inspectDatabases } from "../../adapters/mongo/inspect.ts";
import type { Side } from "../../core/access/roles-record.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { inspectionKey } from "../../core/failback/layout.ts";
import type { Inspection, LiveSide, LiveUser } from "../../core/live/live-state.ts";
import type { Server } from "../access/databases.ts";
import { type Action, type ActionContext, passed } from "./action.ts";
import { keepDocument } from "./keep-document.ts";

/** Both sides are read within this time, so that the answer is in the bucket before SSM ends the command. */
const readingMsMax = 240_000;
const selectionMsMax = 10_000;

/**
 * Reads what stands on both servers and leaves it in the bucket; the result names the object and its hash. It only
 * looks: a side that could not be read is no failure of the action, it says why in its place.
 */
export const run: Action = async (context) => {
  const { service } = context;
  const takenAt = service.clock.now();
  const [mongodb, documentdb] = await Promise.all([read(context, "mongodb"), read(context, "documentdb")]);
  const inspection: Inspection = {
    version: 1,
    environment: service.environment.environment,
    takenAt: takenAt.toISOString(),
    mongodb,
    documentdb,
  };
  const data = await keepDocument(service.store, inspectionKey(takenAt, service.run), inspection);
  return {
    checks: [
      shown("MongoDB", mongodb),
      shown("DocumentDB", documentdb),
      passed("inspection", "kept in the bucket", data.key),
    ],
    data,
  };
};

async function read(context: ActionContext, side: Side): Promise<LiveSide> {
  const deadline = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = tooSlow(side);
    deadline.abort(reason);
    late.reject(reason);
  }, readingMsMax);
  try {
    return await Promise.race([readSide(context, side, deadline.signal), late.promise]);
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "interrupted") throw error;
    return { reachable: false, reason: `${error.what}: expected ${error.expected}, got ${error.got}` };
  } finally {
    clearTimeout(timer);
  }
}

async function readSide(context: ActionContext, side: Side, deadline: AbortSignal): Promise<LiveSide> {
  const { service, databases, parameter } = context;
  const asked = parameter("databases");
  const server = await databases.open(side, { serverSelectionTimeoutMs: selectionMsMax });
  const { version } = await server.command("admin", { buildInfo: 1 }, "ask for the version");
  const found = await ask(server, () =>
    inspectDatabases(server.client, {
      ...(asked === "*" ? {} : { databases: asked.split(",") }),
      exact: parameter("counts") === "exact",
      signal: AbortSignal.any([service.signal, deadline]),
    }),
  );
  const users = (await server.access.principals()).map(({ user, db, roles }) => ({
    name: user,
    ...(db === "admin" ? {} : { db }),
    roles: roles.map((role) => ({ role: role.role, db: role.db })),
  }));
  return { reachable: true, version: String(version), databases: found, users: sorted(users) };
}

async function ask<T>(server: Server, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw server.failure(error, "read its databases");
  }
}

function sorted(users: LiveUser[]): LiveUser[] {
  const name = ({ db = "admin", name }: LiveUser) => `${name}\0${db}`;
  return users.sort((left, right) => (name(left) < name(right) ? -1 : 1));
}

function shown(server: string, side: LiveSide): Check {
  const words = side.reachable
    ? `version ${side.version}, ${side.databases.length} databases, ${side.users.length} users`
    : `not read: ${side.reason}`;
  return passed(`${server} is looked at`, "shown", words);
}

function tooSlow(side: Side): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `read what stands on ${side}`,
    expected: `an end within ${readingMsMax / 1000} s`,
    got: "none",
    wayOut: "name the databases of interest, or take the server's own counts",
  });
}
