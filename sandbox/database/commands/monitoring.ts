/** Commands that describe the server. */
import { hostname } from "node:os";
import { CLUSTER, type Need, need } from "../auth/privilege.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { Timestamp } from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Session } from "../server/sessions.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { commands } from "./index.ts";

const onCluster = (action: string) => (): Need[] => [need(CLUSTER, action)];

function buildInfo(context: CommandContext): Reply {
  const version = context.server.options.serverVersion;
  return {
    version,
    gitVersion: "0000000000000000000000000000000000000000",
    modules: [],
    allocator: "system",
    javascriptEngine: "none",
    sysInfo: "deprecated",
    versionArray: [...version.split(".").map(Number), 0],
    openssl: { running: "disabled", compiled: "disabled" },
    buildEnvironment: {
      distmod: "",
      distarch: process.arch,
      cc: "",
      target_arch: process.arch,
      target_os: process.platform,
    },
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16_777_216,
    storageEngines: ["wiredTiger"],
  };
}

function timestamp(ts: number): Timestamp {
  return new Timestamp({ t: tsSeconds(ts), i: tsIncrement(ts) });
}

function replicationSection(context: CommandContext): ReplyObject {
  const { replicaSet } = context.server;
  const { member } = context.connection;
  return {
    hosts: replicaSet.hosts,
    setName: replicaSet.name,
    setVersion: replicaSet.configVersion,
    isWritablePrimary: member.state === "PRIMARY",
    secondary: member.state === "SECONDARY",
    primary: replicaSet.primary?.host,
    me: member.host,
    electionId: replicaSet.electionId,
    rbid: 1,
  };
}

/** The sections tools and drivers' tests read. */
function serverStatus(context: CommandContext): Reply {
  const { server } = context;
  const { counters, options, storage } = server;
  const uptime = (Date.now() - server.startedAt) / 1000;
  const current = server.replicaSet.members.reduce((sum, member) => sum + member.connections.size, 0);
  const { command, insert, query, update, delete: deletes, getmore } = counters;
  const usage = process.memoryUsage();
  return {
    host: `${hostname()}:${context.connection.member.port}`,
    version: options.serverVersion,
    process: "mongod",
    pid: BigInt(process.pid),
    uptime,
    uptimeMillis: BigInt(Math.floor(uptime * 1000)),
    uptimeEstimate: BigInt(Math.floor(uptime)),
    localTime: new Date(),
    asserts: { regular: 0, warning: 0, msg: 0, user: 0, rollovers: 0 },
    connections: {
      current,
      available: 50_000 - current,
      totalCreated: server.replicaSet.connectionsCreated,
      active: current,
    },
    globalLock: {
      totalTime: BigInt(Math.floor(uptime * 1e6)),
      currentQueue: { total: 0, readers: 0, writers: 0 },
      activeClients: { total: current, readers: 0, writers: 0 },
    },
    locks: {},
    logicalSessionRecordCache: { activeSessionsCount: server.sessions.count, sessionsCollectionJobCount: 0 },
    network: { bytesIn: 0n, bytesOut: 0n, numRequests: BigInt(command) },
    opcounters: { insert, query, update, delete: deletes, getmore, command },
    opcountersRepl: { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 },
    oplogTruncation: { totalTimeProcessingMicros: 0n, processingMethod: "scanning" },
    repl: replicationSection(context),
    storageEngine: {
      name: "wiredTiger",
      supportsCommittedReads: true,
      oldestRequiredTimestampForCrashRecovery: timestamp(storage.clock.last),
      supportsPendingDrops: true,
      dropPendingIdents: 0n,
      supportsSnapshotReadConcern: true,
      readOnly: false,
      persistent: true,
      backupCursorOpen: false,
    },
    transactions: {
      currentActive: 0n,
      currentInactive: 0n,
      currentOpen: 0n,
      totalAborted: 0n,
      totalCommitted: 0n,
      totalStarted: 0n,
      retriedCommandsCount: 0n,
      retriedStatementsCount: 0n,
    },
    mem: {
      bits: 64,
      resident: Math.floor(usage.rss / 1_048_576),
      virtual: Math.floor(usage.rss / 1_048_576),
      supported: true,
    },
    metrics: {
      cursor: { timedOut: 0n, open: { noTimeout: 0n, pinned: 0n, total: BigInt(server.cursors.size) } },
      ttl: { deletedDocuments: BigInt(server.ttl.deleted), passes: BigInt(server.ttl.passes) },
    },
    operationTime: undefined,
  };
}

function hostInfo(): Reply {
  return {
    system: {
      currentTime: new Date(),
      hostname: hostname(),
      cpuAddrSize: 64,
      memSizeMB: 0n,
      memLimitMB: 0n,
      numCores: navigator.hardwareConcurrency,
      cpuArch: process.arch,
      numaEnabled: false,
    },
    os: { type: "Linux", name: process.platform, version: "" },
    extra: {},
  };
}

function commandLine(context: CommandContext): Reply {
  const { options } = context.server;
  return {
    argv: ["mongod", "--replSet", options.setName, "--setParameter", "enableTestCommands=1"],
    parsed: {
      replication: { replSet: options.setName },
      security: { authorization: "enabled" },
      setParameter: { enableTestCommands: "1" },
    },
  };
}

function currentOperations(context: CommandContext): Reply {
  const all = context.body.get("$all") === true ? idleConnections(context) : [];
  return { inprog: [...operations(context), ...all] };
}

/** With `$all`, connections that do nothing now are listed too, with the users logged in on them. */
function idleConnections(context: CommandContext): ReplyObject[] {
  const busy = new Set([...context.server.running.values()].map(({ connection }) => connection));
  return context.server.replicaSet.members.flatMap((member) =>
    [...member.connections]
      .filter((connection) => !busy.has(connection))
      .map((connection) => ({
        type: "op",
        host: member.host,
        desc: `conn${connection.id}`,
        connectionId: connection.id,
        client: connection.remote,
        appName: connection.appName,
        active: false,
        effectiveUsers: [...connection.principals.values()].map(({ user, db }) => ({ user, db })),
      })),
  );
}

/** Running commands and transactions between two commands, as currentOp and $currentOp show them. */
export function operations(context: CommandContext): ReplyObject[] {
  const running = [...context.server.running.values()];
  const busy = new Set(running.map(({ session }) => session));
  const idle = [...context.server.sessions.all()].filter((session) => !busy.has(session));
  return [...running.map(runningOperation), ...idle.flatMap((session) => idleTransaction(context, session))];
}

function runningOperation(running: CommandContext): ReplyObject {
  const { session, connection } = running;
  const target = running.body.get(running.name);
  return {
    type: "op",
    host: connection.member.host,
    desc: `conn${connection.id}`,
    connectionId: connection.id,
    client: connection.remote,
    appName: connection.appName,
    active: true,
    opid: running.operationId,
    secs_running: BigInt(Math.floor((Date.now() - running.startedAt) / 1000)),
    microsecs_running: BigInt((Date.now() - running.startedAt) * 1000),
    op: "command",
    ns: `${running.database}.${typeof target === "string" ? target : "$cmd"}`,
    effectiveUsers: [...connection.principals.values()].map(({ user, db }) => ({ user, db })),
    command: running.body,
    ...(session ? { lsid: decode(session.lsid) } : {}),
    ...(running.transaction ? { transaction: transactionFields(running.transaction) } : {}),
  };
}

/** It holds what its commit will write, has no opid, and names its user in no other way than by the session's hash. */
function idleTransaction(context: CommandContext, session: Session): ReplyObject[] {
  const { transaction } = session;
  if (transaction?.state !== "inProgress") return [];
  return [
    {
      type: "idleSession",
      host: context.connection.member.host,
      desc: "inactive transaction",
      active: false,
      lsid: decode(session.lsid),
      transaction: transactionFields(transaction),
    },
  ];
}

function transactionFields({ number, startedAt }: Transaction): ReplyObject {
  return {
    parameters: { txnNumber: number, autocommit: false },
    startWallClockTime: new Date(startedAt).toISOString(),
    timeOpenMicros: BigInt((Date.now() - startedAt) * 1000),
  };
}

function killOperation(context: CommandContext): Reply {
  const id = context.number("op");
  if (id === undefined) throw new ServerError("NoSuchKey", 'Did not provide "op" field');
  const running = context.server.running.get(id);
  if (running) running.killed = new ServerError("Interrupted", "operation was interrupted");
  return { info: "attempting to kill op" };
}

function listCommands(): Reply {
  const shown: ReplyObject = {};
  for (const [name, command] of commands) {
    if (name !== command.name || name.startsWith("_")) continue;
    shown[name] = {
      help: "",
      requiresAuth: command.open !== true,
      secondaryOk: command.role !== "write",
      adminOnly: command.adminOnly === true,
      apiVersions: [],
      deprecatedApiVersions: [],
    };
  }
  return { commands: shown };
}

export const monitoringCommands: Command[] = [
  { name: "ping", fields: [], role: "any", open: true, run: () => ({}) },
  { name: "buildInfo", aliases: ["buildinfo"], fields: [], role: "any", open: true, run: buildInfo },
  { name: "whatsmyuri", fields: [], role: "any", run: (context) => ({ you: context.connection.remote }) },
  {
    name: "serverStatus",
    fields: [],
    lenient: true,
    role: "any",
    needs: onCluster("serverStatus"),
    run: serverStatus,
  },
  {
    name: "hostInfo",
    fields: [],
    role: "any",
    adminOnly: false,
    needs: onCluster("hostInfo"),
    run: hostInfo,
  },
  {
    name: "getCmdLineOpts",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("getCmdLineOpts"),
    run: commandLine,
  },
  {
    name: "currentOp",
    fields: [],
    lenient: true,
    adminOnly: true,
    role: "any",
    needs: onCluster("inprog"),
    run: currentOperations,
  },
  {
    name: "killOp",
    fields: ["op"],
    adminOnly: true,
    role: "any",
    needs: onCluster("killop"),
    run: killOperation,
  },
  { name: "listCommands", fields: [], role: "any", open: true, run: listCommands },
  {
    name: "top",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("top"),
    run: () => ({ totals: { note: "all times in microseconds" } }),
  },
  {
    name: "getLog",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("getLog"),
    run: (context) =>
      context.body.get("getLog") === "*"
        ? { names: ["global", "startupWarnings"] }
        : { totalLinesWritten: 0, log: [] },
  },
  { name: "features", fields: ["oidReset"], role: "any", run: () => ({ js: { utf8: true }, oidMachine: 0 }) },
  {
    name: "connPoolStats",
    fields: [],
    role: "any",
    needs: onCluster("connPoolStats"),
    run: () => ({ numClientConnections: 0, totalAvailable: 0, totalCreated: 0, hosts: {} }),
  },
  {
    name: "getFreeMonitoringStatus",
    fields: [],
    adminOnly: true,
    role: "any",
    run: () => ({ state: "disabled" }),
  },
  {
    name: "getDefaultRWConcern",
    fields: ["inMemory"],
    adminOnly: true,
    role: "any",
    run: () => ({
      defaultReadConcern: { level: "local" },
      defaultWriteConcern: { w: "majority", wtimeout: 0 },
      defaultWriteConcernSource: "implicit",
      defaultReadConcernSource: "implicit",
    }),
  },
];
