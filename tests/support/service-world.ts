/** A ServiceContext over a store in memory and units that a test sets, for services and actions at their ports. */
import { rmSync } from "node:fs";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import {
  defaultSettings,
  type Environment,
  type Scope,
  type Settings,
} from "../../core/failback/documents.ts";
import { currentKey, keysOf } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Clock, Logger, ObjectStore, Units } from "../../core/ports.ts";
import type { ServiceContext } from "../../services/runtime/definition.ts";
import { createFailbackLoader } from "../../services/runtime/failback.ts";
import { StatusReporter } from "../../services/runtime/status.ts";
import { InstantClock } from "./instant-clock.ts";
import { MemorySecretVersions } from "./memory-secret-versions.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const worldFailbackId = "fb-1";

export const worldScope: Scope = {
  version: 1,
  failbackId: worldFailbackId,
  environment: "test",
  commit: "0".repeat(40),
  openedAt: "2026-11-21T00:00:00.000Z",
  databases: [{ name: "shop", collections: ["orders", "customers"] }],
  applicationUsers: [{ name: "application", secret: "application-secret" }],
};

export const worldEnvironment: Environment = {
  version: 1,
  environment: "test",
  region: "eu-west-1",
  bucket: "bucket",
  instanceId: "i-1",
  documentPrefix: "roundtrip",
  documentdb: {
    secret: "documentdb-secret",
    changeStreamRetentionSeconds: 10_800,
    applicationUsers: worldScope.applicationUsers,
    replicationUser: { name: "dms", secret: "dms-secret" },
    otherWriters: [],
    administrators: ["operator"],
  },
  mongodb: { secret: "mongodb-secret" },
  replicationTasks: [],
};

type UnitState = Awaited<ReturnType<Units["state"]>>;

const down: UnitState = { active: "inactive", sub: "dead", result: "success", mainPid: 0, exitStatus: 0 };
export const up: UnitState = {
  active: "active",
  sub: "running",
  result: "success",
  mainPid: 1,
  exitStatus: 0,
};

/** Units by name; starting one makes it active unless the test says otherwise. */
class FakeUnits implements Units {
  readonly states = new Map<string, UnitState>();
  readonly calls: string[] = [];
  onStart: (unit: string) => UnitState = () => up;

  async enable(unit: string): Promise<void> {
    this.calls.push(`enable ${unit}`);
  }

  async start(unit: string): Promise<void> {
    this.calls.push(`start ${unit}`);
    this.states.set(unit, this.onStart(unit));
  }

  async stop(unit: string): Promise<void> {
    this.calls.push(`stop ${unit}`);
    this.states.set(unit, down);
  }

  async state(unit: string): Promise<UnitState> {
    return this.states.get(unit) ?? down;
  }
}

export interface WorldOptions {
  readonly store?: ObjectStore;
  readonly clock?: Clock;
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly environment?: Environment;
  readonly scope?: Scope;
  readonly settings?: Partial<Settings>;
}

export class ServiceWorld implements Disposable {
  readonly store: ObjectStore;
  readonly units = new FakeUnits();
  readonly stop = new AbortController();
  readonly keys = keysOf(worldFailbackId);
  readonly scope: Scope;
  readonly service: ServiceContext;
  readonly warnings: string[] = [];

  constructor(options: WorldOptions = {}) {
    this.store = options.store ?? new MemoryObjectStore();
    this.scope = options.scope ?? worldScope;
    const { store } = this;
    const clock = options.clock ?? new InstantClock();
    const stateDirectory = temporaryFolder("roundtrip-world");
    const silent = () => {};
    const logger: Logger = {
      debug: silent,
      info: silent,
      warn: (_fields, message) => void this.warnings.push(message),
      error: silent,
    };
    const notifier = { ready: silent, status: silent, stopping: silent, alive: silent };
    const phaseStore = new PhaseStore(store, clock, "test");
    const secretVersions = new MemorySecretVersions(options.secrets);
    const parts = {
      service: "test",
      host: "host",
      run: "run",
      stateDirectory,
      store,
      clock,
      logger,
      notifier,
    };
    const status = new StatusReporter(parts);
    this.service = {
      name: "test",
      arguments: { positionals: [], text: () => undefined, texts: () => [], flag: () => false },
      environment: options.environment ?? worldEnvironment,
      settings: { ...defaultSettings, ...options.settings },
      store,
      secrets: {
        get: async (name) => {
          if (!options.secrets?.[name]) throw noSecret(name);
          return (await secretVersions.read(name, { label: "AWSCURRENT" })) ?? {};
        },
      },
      secretVersions,
      clock,
      logger,
      phaseStore,
      failback: createFailbackLoader(store, phaseStore, status),
      status,
      units: this.units,
      signal: this.stop.signal,
      alive: silent,
      host: "host",
      run: "run",
      stateDirectory,
    };
  }

  /** Puts the environment into a phase, with the scope frozen. */
  async enter(phase: Phase): Promise<void> {
    await writeJson(this.store, currentKey, {
      version: 1,
      environment: "test",
      phase,
      failbackId: phase === "normal" ? "" : worldFailbackId,
      history: [],
    });
    await writeJson(this.store, this.keys.scope, this.scope);
  }

  async phase(): Promise<Phase> {
    return (await this.service.phaseStore.read()).phase;
  }

  [Symbol.dispose](): void {
    rmSync(this.service.stateDirectory, { recursive: true, force: true });
  }
}

function noSecret(name: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read secret ${name}`,
    expected: "a secret of that name",
    got: "none",
    wayOut: `create secret ${name}`,
  });
}
