import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import type { ActionResult, Environment } from "../../core/failback/documents.ts";
import type {
  Clock,
  CommandResult,
  Commands,
  Functions,
  InstanceState,
  Instances,
  ReplicationTask,
  ReplicationTasks,
  TableStatistics,
} from "../../core/ports.ts";
import type {
  ConnectionTest,
  ReplicationEndpoint,
  ReplicationEndpoints,
} from "../../core/replication/ports.ts";
import type { RunbookDependencies } from "./execution.ts";

const sampleEnvironment: Environment = {
  version: 1,
  environment: "dev",
  region: "us-east-1",
  bucket: "roundtrip-dev",
  instanceId: "i-1",
  documentPrefix: "roundtrip-dev",
  documentdb: {
    secret: "dev/operator",
    changeStreamRetentionSeconds: 10_800,
    applicationUsers: [{ name: "shop", secret: "dev/shop" }],
    replicationUser: { name: "dms", secret: "dev/dms" },
    otherWriters: [],
    administrators: ["root"],
  },
  mongodb: { secret: "dev/mongodb" },
  kafka: { nodes: [1, 2, 3].map((id) => ({ id, instanceId: `i-kafka-${id}`, privateIp: `10.0.${id}.10` })) },
  replicationTasks: [{ id: "orders", arn: "arn:orders" }],
};

/** The runner's side of the world at its ports, with every outside call recorded in order. */
export class FakeWorld {
  readonly calls: string[] = [];
  readonly store = new MemoryObjectStore();
  readonly said: string[] = [];
  /** What an action answers; by default ok without checks. */
  readonly answers = new Map<string, (parameters: Readonly<Record<string, string>>) => CommandResult>();
  instance: InstanceState = "stopped";
  /** Kafka's nodes are always on. */
  node: InstanceState = "running";
  task: ReplicationTask = { id: "orders", arn: "arn:orders", status: "stopped", checkpoint: { raw: "c1" } };
  tables: readonly TableStatistics[] = [
    {
      schema: "shop",
      table: "orders",
      state: "Table completed",
      fullLoadRows: 1,
      inserts: 0,
      updates: 0,
      deletes: 0,
    },
  ];
  private protection = false;
  private sent = new Map<string, { document: string; parameters: Readonly<Record<string, string>> }>();

  readonly clock: Clock = {
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
  };

  readonly commands: Commands = {
    send: async (_, document, parameters) => {
      const id = `command-${this.sent.size + 1}`;
      this.calls.push(`send ${document}`);
      this.sent.set(id, { document, parameters });
      return id;
    },
    wait: async (_, commandId) => {
      const command = this.sent.get(commandId);
      if (!command) throw new Error(`no command ${commandId}`);
      this.calls.push(`wait ${command.document}`);
      const action = command.document.replace("roundtrip-dev-", "");
      return this.answers.get(action)?.(command.parameters) ?? succeeded(commandId, action);
    },
  };

  readonly instances: Instances = {
    state: async (instanceId) => (instanceId.startsWith("i-kafka-") ? this.node : this.instance),
    start: async () => {
      this.calls.push("start instance");
      this.instance = "running";
    },
    stop: async () => {
      this.calls.push("stop instance");
      this.instance = "stopped";
    },
    waitReady: async () => {},
    waitStopped: async () => {},
    setStopProtection: async (_, on) => {
      this.protection = on;
    },
    stopProtection: async () => this.protection,
  };

  readonly tasks: ReplicationTasks = {
    describe: async () => [this.task],
    stop: async () => {
      this.calls.push("stop task");
      this.task = { ...this.task, status: "stopped" };
      return this.task;
    },
    start: async (_, type) => {
      this.calls.push(`start task ${type}`);
      this.task = { ...this.task, status: "running" };
      return this.task;
    },
    tables: async () => [...this.tables],
    reloadTables: async () => {},
  };

  /** Target endpoints by the secret they read; tests are always successful unless a test says otherwise. */
  readonly endpoints: ReplicationEndpoints = {
    links: async (arns) =>
      arns.map((taskArn) => ({
        taskId: "orders",
        taskArn,
        sourceEndpointArn: "arn:source",
        targetEndpointArn: "arn:target",
        instanceArn: "arn:instance",
        startedAt: this.taskStartedAt,
      })),
    list: async () => this.listedEndpoints,
    lastTest: async () => ({ status: "successful" }),
    test: async (arn) => {
      this.calls.push(`test ${arn}`);
      return this.connectionTest;
    },
  };
  taskStartedAt = new Date();
  connectionTest: ConnectionTest = { status: "successful" };
  listedEndpoints: ReplicationEndpoint[] = [
    { id: "source", arn: "arn:source", type: "source", engine: "mongodb", secret: "dev/source" },
    { id: "target", arn: "arn:target", type: "target", engine: "docdb", secret: "dev/dms" },
  ];

  readonly functions: Functions = {
    invoke: async (name) => {
      this.calls.push(`invoke ${name}`);
      return {};
    },
  };

  dependencies(signal: AbortSignal = new AbortController().signal): RunbookDependencies {
    const { store, instances, commands, tasks, endpoints, functions, clock } = this;
    return {
      environment: sampleEnvironment,
      store,
      instances,
      commands,
      tasks,
      endpoints,
      functions,
      clock,
      signal,
      say: (line) => void this.said.push(line),
    };
  }
}

export function succeeded(
  commandId: string,
  action: string,
  data: Readonly<Record<string, unknown>> = {},
): CommandResult {
  const result: ActionResult = {
    action,
    failbackId: "x",
    ok: true,
    checks: [],
    data,
    at: "2026-01-01T00:00:00Z",
  };
  return {
    commandId,
    status: "success",
    exitCode: 0,
    stdout: `log line\n${JSON.stringify(result)}\n`,
    stderr: "",
  };
}
