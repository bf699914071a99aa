/** Parameters, write blocking, fsync, fail points, shutdown. */
import { onCluster } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { isDocument, isNumber } from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { ReplyObject } from "../wire/writer.ts";

const NOT_PARAMETERS = new Set([
  "getParameter",
  "setParameter",
  "comment",
  "lsid",
  "maxTimeMS",
  "allParameters",
]);

function getParameter(context: CommandContext): Reply {
  const { parameters } = context.server;
  const wanted = context.body.get("getParameter");
  if (wanted === "*" || (isDocument(wanted) && wanted.get("allParameters") === true)) return parameters.all();
  const found: ReplyObject = {};
  for (const name of context.body.keys()) {
    if (NOT_PARAMETERS.has(name) || name.startsWith("$")) continue;
    const value = parameters.get(name);
    if (value !== undefined) found[name] = value;
  }
  if (Object.keys(found).length === 0) throw new ServerError("InvalidOptions", "no option found to get");
  return found;
}

function setParameter(context: CommandContext): Reply {
  const { parameters } = context.server;
  let was: Reply | undefined;
  for (const [name, value] of context.body) {
    if (NOT_PARAMETERS.has(name) || name.startsWith("$")) continue;
    const old = parameters.set(name, value);
    was ??= { was: old };
  }
  if (!was) throw new ServerError("InvalidOptions", "no option found to set, use help:true to see options ");
  context.server.parametersChanged();
  return was;
}

function setUserWriteBlockMode(context: CommandContext): Reply {
  const global = context.body.get("global");
  if (typeof global !== "boolean")
    throw new ServerError(40414, "BSON field 'setUserWriteBlockMode.global' is missing but a required field");
  context.server.setUserWriteBlock(global);
  return {};
}

function configureFailPoint(context: CommandContext): Reply {
  const name = context.string("configureFailPoint")!;
  const data = context.document("data") ?? new Map();
  if (name === "stopReplProducer") {
    context.connection.member.stalled = context.body.get("mode") !== "off";
    return { count: 0 };
  }
  const count = context.server.failPoints.configure(name, context.body.get("mode"), data);
  return { count };
}

let locks = 0;

/** There is nothing to flush: every acknowledged write is committed. The lock only counts, as nested locks do. */
function fsync(context: CommandContext): Reply {
  if (context.boolean("lock"))
    return {
      info: "now locked against writes, use db.fsyncUnlock() to unlock",
      lockCount: BigInt(++locks),
      seeAlso: "http://dochub.mongodb.org/core/fsynccommand",
    };
  context.storage.database.run("PRAGMA wal_checkpoint(PASSIVE)");
  return { numFiles: 1 };
}

function fsyncUnlock(): Reply {
  if (locks === 0) throw new ServerError("IllegalOperation", "fsyncUnlock called when not locked");
  return { info: "fsyncUnlock completed", lockCount: BigInt(--locks) };
}

function shutdown(context: CommandContext): Reply {
  context.server.shutdownSoon();
  return {};
}

export const administrationCommands: Command[] = [
  {
    name: "getParameter",
    fields: [],
    lenient: true,
    adminOnly: true,
    role: "any",
    needs: onCluster("getParameter"),
    run: getParameter,
  },
  {
    name: "setParameter",
    fields: [],
    lenient: true,
    adminOnly: true,
    role: "any",
    needs: onCluster("setParameter"),
    run: setParameter,
  },
  {
    name: "setUserWriteBlockMode",
    fields: ["global"],
    adminOnly: true,
    role: "write",
    needs: onCluster("setUserWriteBlockMode"),
    run: setUserWriteBlockMode,
  },
  {
    name: "configureFailPoint",
    fields: ["mode", "data"],
    adminOnly: true,
    role: "any",
    run: configureFailPoint,
  },
  {
    name: "fsync",
    fields: ["lock", "fsyncLockAcquisitionTimeoutMillis", "async"],
    adminOnly: true,
    role: "any",
    needs: onCluster("fsync"),
    run: fsync,
  },
  {
    name: "fsyncUnlock",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("unlock"),
    run: fsyncUnlock,
  },
  {
    name: "logRotate",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("logRotate"),
    run: () => ({}),
  },
  {
    name: "shutdown",
    fields: ["force", "timeoutSecs"],
    adminOnly: true,
    role: "any",
    needs: onCluster("shutdown"),
    run: shutdown,
  },
  {
    name: "setFeatureCompatibilityVersion",
    fields: ["confirm", "fromConfigServer"],
    adminOnly: true,
    role: "write",
    needs: onCluster("setFeatureCompatibilityVersion"),
    run(context) {
      const version = context.string("setFeatureCompatibilityVersion");
      if (version !== context.server.options.serverVersion.split(".").slice(0, 2).join(".")) {
        throw new ServerError("BadValue", `Invalid feature compatibility version value '${version}'`);
      }
      return {};
    },
  },
];

/** A number a command takes as its first value: `replSetStepDown: 60`. */
export function firstNumber(context: CommandContext): number | undefined {
  const value = context.body.get(context.name);
  return isNumber(value) ? exactNumberOf(value) : undefined;
}
