/** serverStatus: the sections that tools and drivers' tests read. */
import { hostname } from "node:os";
import { onCluster } from "../auth/privilege.ts";
import { Timestamp } from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { ReplyObject } from "../wire/writer.ts";

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

export const serverStatusCommand: Command = {
  name: "serverStatus",
  fields: [],
  lenient: true,
  role: "any",
  needs: onCluster("serverStatus"),
  run: serverStatus,
};
