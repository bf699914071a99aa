/** What `replicate` needs, over a store in memory, for tests at the port boundary. */

import { rmSync } from "node:fs";
import { systemClock } from "../../adapters/clock.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import {
  defaultSettings,
  type Environment,
  type Scope,
  type ServiceStatus,
  type Settings,
} from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Logger, ObjectStore } from "../../core/ports.ts";
import type { OpenFailback, ServiceContext } from "../../services/runtime/service.ts";
import { StatusReporter, type StatusUpdate } from "../../services/runtime/status.ts";
import { MemorySecretVersions } from "./memory-secret-versions.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestCapture extends Disposable {
  readonly context: ServiceContext;
  readonly failback: OpenFailback;
  readonly stop: () => void;
  readonly lines: LogLine[];
  readonly updates: StatusUpdate[];
  readonly status: () => ServiceStatus;
}

export const testScope: Scope = {
  version: 1,
  failbackId: "fb-1",
  environment: "test",
  commit: "0".repeat(40),
  openedAt: "2026-11-21T00:00:00.000Z",
  databases: [{ name: "shop", collections: ["orders", "customers"] }],
  applicationUsers: [],
};

export const testEnvironment: Environment = {
  version: 1,
  environment: "test",
  region: "eu-west-1",
  bucket: "bucket",
  instanceId: "i-1",
  documentPrefix: "roundtrip",
  documentdb: {
    secret: "documentdb",
    changeStreamRetentionSeconds: 10_800,
    applicationUsers: [],
    replicationUser: { name: "dms", secret: "dms" },
    otherWriters: [],
    administrators: [],
  },
  mongodb: { secret: "mongodb" },
  replicationTasks: [],
};

/** A context whose start point is written; `run` tells two captures of one test apart. */
export async function testCapture(
  store: ObjectStore,
  options: { readonly run?: string; readonly settings?: Partial<Settings> } = {},
): Promise<TestCapture> {
  const stateDirectory = temporaryFolder("roundtrip-capture");
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const updates: StatusUpdate[] = [];
  const logger = recordingLogger(lines);
  const run = options.run ?? "run-1";
  const host = "host-1";
  const keys = keysOf(testScope.failbackId);
  await writeOnce(store, keys.startPoint, {
    version: 1,
    failbackId: testScope.failbackId,
    operationTime: { t: 1_700_000_000, i: 1 },
    recordedAt: "2026-11-21T00:00:00.000Z",
  });
  const failback: OpenFailback = { id: testScope.failbackId, phase: "capturing", scope: testScope, keys };
  const status = new StatusReporter({
    service: "replication",
    host,
    run,
    stateDirectory,
    store,
    clock: systemClock,
    logger,
    notifier: { ready() {}, status() {}, stopping() {}, alive() {} },
  });
  const update = status.update.bind(status);
  status.update = (given) => {
    updates.push(given);
    update(given);
  };
  return {
    context: {
      name: "replication",
      arguments: { positionals: [], text: () => undefined, texts: () => [], flag: () => false },
      environment: testEnvironment,
      settings: { ...defaultSettings, maxDelayMs: 5, ...options.settings },
      store,
      secrets: { get: () => Promise.reject(new Error("no secrets in this test")) },
      secretVersions: new MemorySecretVersions(),
      clock: systemClock,
      logger,
      phaseStore: new PhaseStore(store, systemClock, "test"),
      failback: { open: async () => failback },
      status,
      units: {
        enable: async () => {},
        start: async () => {},
        stop: async () => {},
        state: async () => ({
          active: "inactive",
          sub: "dead",
          result: "success",
          mainPid: 0,
          exitStatus: 0,
        }),
      },
      signal: stop.signal,
      alive() {},
      host,
      run,
      stateDirectory,
    },
    failback,
    stop: () => stop.abort(new Error("SIGTERM")),
    lines,
    updates,
    status: () => status.current,
    [Symbol.dispose]: () => rmSync(stateDirectory, { recursive: true, force: true }),
  };
}

function recordingLogger(lines: LogLine[]): Logger {
  const log = (level: LogLine["level"]) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as Record<string, unknown> });
  };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}

async function writeOnce(store: ObjectStore, key: string, value: unknown): Promise<void> {
  if (await store.head(key)) return;
  await store.put(key, new TextEncoder().encode(JSON.stringify(value)));
}
