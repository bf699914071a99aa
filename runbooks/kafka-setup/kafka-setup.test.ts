/** kafka-setup at its ports; on real brokers it runs in tests/kafka. */
import { expect, test } from "bun:test";
import type { RoundtripError } from "../../core/errors.ts";
import type { KafkaNode } from "../../core/kafka/cluster.ts";
import type { CommandResult } from "../../core/ports.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation, type OperationRequest, operationPlanContext } from "../engine/operation.ts";
import { planOf, renderPlan } from "../engine/plan.ts";
import { kafkaSetup } from "./runbook.ts";

const request: OperationRequest = {
  operation: kafkaSetup,
  inputs: {},
  caller: { actor: "ana", commit: "abc" },
  declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
  leaseSeconds: 0.05,
  actionTimeoutSeconds: () => 1,
};

/** A world whose nodes answer as running ones do, and what was sent to whom. */
function newWorld(nodes?: readonly KafkaNode[] | null) {
  const world = new FakeWorld();
  const deps = world.dependencies();
  const sent: string[] = [];
  const commands = {
    ...deps.commands,
    send: async (instance: string, document: string, parameters: Readonly<Record<string, string>>) => {
      const words = [document.replace("roundtrip-dev-", ""), parameters.unit].filter(Boolean).join(" ");
      sent.push(`${instance} ${words}`);
      return deps.commands.send(instance, document, parameters);
    },
  };
  const { kafka: _published, ...without } = deps.environment;
  const environment = nodes === null ? without : nodes ? { ...without, kafka: { nodes } } : deps.environment;
  return { world, sent, deps: { ...deps, commands, environment } };
}

const failed = (exitCode: number, stderr: string): CommandResult => ({
  commandId: "c",
  status: "failed",
  exitCode,
  stdout: "",
  stderr,
});

test("each node is prepared and started, ZooKeeper on all before Kafka on any; then the cluster is proved from one", async () => {
  const { sent, deps } = newWorld();
  const report = await executeOperation(deps, request);
  expect(report.error).toBeUndefined();
  const each = (words: string) => [1, 2, 3].map((id) => `i-kafka-${id} ${words}`);
  expect(sent).toEqual([
    ...each("kafka-status"),
    ...each("kafka-prepare"),
    ...each("kafka-start zookeeper.service"),
    "i-kafka-1 kafka-quorum",
    ...each("kafka-start kafka.service"),
    ...["kafka-brokers", "kafka-topic", "kafka-message"].map((name) => `i-kafka-1 ${name}`),
  ]);
});

test("nodes that run with an older configuration are restarted one after the other; a restart that fails touches no other", async () => {
  const { world, sent, deps } = newWorld();
  world.answers.set("kafka-start", () => succeeded("c", "kafka-start", { started: false, outdated: true }));
  expect((await executeOperation(deps, request)).error).toBeUndefined();
  const restarts = () => sent.filter((line) => line.includes("kafka-restart"));
  expect(restarts()).toEqual(
    ["zookeeper.service", "kafka.service"].flatMap((unit) =>
      [1, 2, 3].map((id) => `i-kafka-${id} kafka-restart ${unit}`),
    ),
  );
  sent.length = 0;
  world.answers.set("kafka-restart", () => failed(3, "the cluster is not whole"));
  expect((await executeOperation(deps, request)).succeeded).toBe(false);
  expect(restarts()).toEqual(["i-kafka-1 kafka-restart zookeeper.service"]);
});

test("a node that has no worker yet is waited for; what was found is in the journal once it has", async () => {
  const { world, sent, deps } = newWorld();
  let looks = 0;
  world.answers.set("kafka-status", () =>
    ++looks < 3
      ? failed(127, "exec: /opt/roundtrip/bin/roundtrip-worker: not found")
      : succeeded("c", "kafka-status", { installed: "prepared" }),
  );
  expect((await executeOperation(deps, request)).error).toBeUndefined();
  expect(sent.slice(0, 4)).toEqual([
    ...Array<string>(3).fill("i-kafka-1 kafka-status"),
    "i-kafka-2 kafka-status",
  ]);
  expect(world.said.join("\n")).toContain("node 1 (i-kafka-1) has no worker yet: exec:");
});

test("a worker that never comes ends the wait with what was said last, and the way out", async () => {
  const { world, deps } = newWorld();
  world.answers.set("kafka-status", () => failed(127, "not found"));
  let passed = 0;
  const clock = {
    ...deps.clock,
    monotonicMs: () => passed,
    sleep: async (ms: number) => {
      passed += ms;
    },
  };
  const { error } = await executeOperation({ ...deps, clock }, request);
  expect(error).toMatchObject({ kind: "unavailable", wayOut: expect.stringContaining("install/status") });
  expect(String(error)).toContain("exit code 127: not found");
});

test("a node that is off is refused before anything is sent", async () => {
  const { world, sent, deps } = newWorld();
  world.node = "stopped";
  const { error } = await executeOperation(deps, request);
  expect(error).toMatchObject({ kind: "refused", what: "set up Kafka on node 1", got: "stopped" });
  expect(sent).toEqual([]);
});

test("an environment without Kafka is refused, in the plan too, with the way to have one", async () => {
  const { sent, deps } = newWorld(null);
  const { error } = await executeOperation(deps, request);
  expect(error).toMatchObject({
    kind: "refused",
    wayOut: expect.stringContaining("terraform/environments/dev.tfvars"),
  });
  expect(sent).toEqual([]);
  const context = await operationPlanContext(deps, request);
  expect(() => planOf(kafkaSetup, context)).toThrow((error as RoundtripError).message);
});

test("two nodes are set up, and both the plan and the summary say that they elect nobody when one is lost", async () => {
  const two = [1, 2].map((id) => ({ id, instanceId: `i-kafka-${id}`, privateIp: `10.0.${id}.10` }));
  const { deps } = newWorld(two);
  const words = "2 ZooKeepers elect no leader when one is lost";
  const plan = renderPlan(kafkaSetup, planOf(kafkaSetup, await operationPlanContext(deps, request)));
  expect(plan).toContain(words);
  const report = await executeOperation(deps, request);
  expect(report.succeeded).toBe(true);
  expect(report.steps[0]!.outcome!.note).toContain(words);
});
