import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StackWorld } from "../support/stack-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";
import { instanceUserData, productUnitFiles } from "../systemd/first-boot/user-data.ts";

setDefaultTimeout(180_000);

const ofKafka = (address: string) => address.includes("kafka") && !address.includes("data.");

/** Adds a cluster to the environment's own variables. */
function giveKafka(world: StackWorld, nodes: number): void {
  const artifact = (key: string) => ({ key, sha256: "0".repeat(64) });
  const kafka = {
    node_count: nodes,
    subnet_ids: ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
    client_security_group_ids: ["sg-0ab1"],
    client_role_arns: ["arn:aws:iam::123456789012:role/eks-pods"],
    release: {
      bucket: "releases",
      worker: artifact("roundtrip-worker"),
      java: artifact("java.tgz"),
      kafka: artifact("kafka.tgz"),
    },
  };
  writeFileSync(join(world.stack, "kafka.auto.tfvars.json"), JSON.stringify({ kafka }));
}

interface Alarm {
  readonly ObjectId: string;
  readonly Attributes: { readonly alarm_actions: string[]; readonly dimensions: Record<string, string> };
}

describe.skipIf(!terraformProgram)(`terraform/stack of qa with Kafka${whyNoTerraform}`, () => {
  let qa: StackWorld;
  let made: string[];
  beforeAll(async () => {
    qa = await StackWorld.start("qa");
    giveKafka(qa, 3);
    const nightly = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    writeFileSync(join(qa.stack, "../../services/units/nightly.timer"), nightly);
    await qa.apply();
    made = (await qa.world.succeed(qa.stack, "state", "list")).stdout.trim().split("\n");
  });
  afterAll(() => qa?.[Symbol.asyncDispose]());

  test("nothing is left to do", async () => {
    expect(await qa.plan()).toEqual({});
  });

  test("both hosts install the release and the product's units; what runs by the clock is enabled on the operations host", async () => {
    const { failback, operations } = await qa.hosts();
    const [onFailback, onOperations] = await Promise.all(
      [failback!, operations!].map(({ instance_id: id }) => instanceUserData(qa.world, id)),
    );
    for (const text of [onFailback!, onOperations!]) {
      for (const unit of Object.values(productUnitFiles())) expect(text).toContain(unit);
      expect(text).toContain("ENVIRONMENT_PARAMETER=/roundtrip/qa/environment\n");
      expect(text).toContain("RELEASE_BUCKET=roundtrip-releases-example\n");
    }
    const enabled = (text: string) => /^ENABLED_UNITS="(.*)"$/m.exec(text)![1]!.split(" ");
    const always = ["roundtrip-environment.service", "roundtrip-environment.timer"];
    expect(enabled(onFailback!)).toEqual(always);
    const timers = Object.keys(productUnitFiles()).filter((name) => name.endsWith(".timer"));
    expect(timers).toContain("mongodb-backup.timer");
    expect(enabled(onOperations!)).toEqual([
      ...always,
      ...[...timers, "nightly.timer", "oplog-archive.service"].sort(),
    ]);
  });

  test("nodes have ids of their own, and are let in from themselves and their clients alone", async () => {
    const { stdout } = await qa.world.succeed(qa.stack, "output", "-json", "kafka");
    const cluster = JSON.parse(stdout) as { nodes: { id: number }[]; brokers: string[] };
    expect({ ids: cluster.nodes.map(({ id }) => id), brokers: new Set(cluster.brokers).size }).toEqual({
      ids: [1, 2, 3],
      brokers: 3,
    });
    const { kafka } = (await qa.document()) as { kafka: { nodes: { id: number; instanceId: string }[] } };
    expect(kafka.nodes.map(({ id }) => id)).toEqual([1, 2, 3]);
    const policy = 'module.runner_role.aws_iam_role_policy.this["runner"]';
    const runner = (await qa.world.succeed(qa.stack, "state", "show", "-no-color", policy)).stdout;
    for (const { instanceId } of kafka.nodes) expect(runner).toContain(`instance/${instanceId}"`);
    const rules = made.filter((address) => /ingress_rule.*"kafka /.test(address));
    expect(rules.map((address) => /"kafka (.*)"/.exec(address)![1])).toEqual([
      ...["tcp 2181-2181 kafka", "tcp 2888-2888 kafka", "tcp 3888-3888 kafka"],
      ...["tcp 9092-9092 kafka", "tcp 9092-9092 sg-0ab1"],
    ]);
  });

  test("each task that shall run, the cluster, both hosts, Kafka's nodes, backups and capture are watched, and somebody is told", async () => {
    const { Objects } = (await qa.world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_cloudwatch_metric_alarm",
    })) as { Objects: Alarm[] };
    const tasks = ["billing", "shop-customers", "shop-orders"];
    expect(Objects.map(({ ObjectId }) => ObjectId)).toEqual(
      [
        ...["age", "size"].map((name) => `backup-${name}`),
        ...["heartbeat", "lag", "token"].map((name) => `capture-${name}`),
        ...tasks.flatMap((id) => [`dms-${id}-source`, `dms-${id}-target`]),
        "dms-storage",
        ...["cpu", "memory", "replica-lag"].map((name) => `documentdb-${name}`),
        ...["failback-disk", "failback-status"].map((name) => `host-${name}`),
        ...[1, 2, 3].map((node) => `host-kafka-${node}-status`),
        ...["operations-disk", "operations-status"].map((name) => `host-${name}`),
        ...["notify-errors", "oplog-lag", "restore-test-age"],
      ].map((name) => `roundtrip-qa-${name}`),
    );
    const topic = "arn:aws:sns:us-east-1:123456789012:roundtrip-qa-alarms";
    expect(new Set(Objects.flatMap(({ Attributes }) => Attributes.alarm_actions))).toEqual(new Set([topic]));
    const { operations } = await qa.hosts();
    const status = Objects.find(({ ObjectId }) => ObjectId.endsWith("host-operations-status"));
    expect(status!.Attributes.dimensions).toEqual({ InstanceId: operations!.instance_id });
  });

  test("a task that is let rest loses its alarms, and nothing else changes", async () => {
    const text = readFileSync(qa.tasksFile, "utf8");
    writeFileSync(qa.tasksFile, text.replace("  - id: billing\n", "  - id: billing\n    running: false\n"));
    const alarm = (side: string) =>
      `module.monitoring.aws_cloudwatch_metric_alarm.this["dms-billing-${side}"]`;
    expect(await qa.plan()).toEqual({
      [alarm("source")]: "delete",
      [alarm("target")]: "delete",
      "module.monitoring.aws_cloudwatch_dashboard.this": "update",
    });
  });

  test("prod plans the same cluster; with two nodes the plan says that they elect no leader when one is lost", async () => {
    await using prod = await StackWorld.start("prod");
    giveKafka(prod, 3);
    expect(
      Object.keys(await prod.plan())
        .filter(ofKafka)
        .sort(),
    ).toEqual(made.filter(ofKafka).sort());
    giveKafka(prod, 2);
    const { stdout } = await prod.world.succeed(prod.stack, "plan", "-var-file=../environments/prod.tfvars");
    expect(stdout.replace(/[\s│╷╵]+/g, " ")).toContain("2 ZooKeepers elect no leader when one is lost");
  });
});
