/** Commands that describe the server: what it is, what it can do, how it was started. */
import { hostname } from "node:os";
import { onCluster } from "../auth/privilege.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { commands } from "./index.ts";

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
