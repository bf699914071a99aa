import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { StackWorld } from "../support/stack-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

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
    release: { bucket: "releases", java: artifact("java.tgz"), kafka: artifact("kafka.tgz") },
  };
  writeFileSync(join(world.stack, "kafka.auto.tfvars.json"), JSON.stringify({ kafka }));
}

describe.skipIf(!terraformProgram)(`terraform/stack with Kafka${whyNoTerraform}`, () => {
  test("qa: nodes with their own ids, let in from their clients alone; nothing left to do; prod plans the same", async () => {
    await using qa = await StackWorld.start("qa");
    giveKafka(qa, 3);
    await qa.apply();
    expect(await qa.plan()).toEqual({});
    const { stdout } = await qa.world.succeed(qa.stack, "output", "-json", "kafka");
    const cluster = JSON.parse(stdout) as { nodes: { id: number }[]; brokers: string[] };
    expect({ ids: cluster.nodes.map(({ id }) => id), brokers: new Set(cluster.brokers).size }).toEqual({
      ids: [1, 2, 3],
      brokers: 3,
    });
    const made = (await qa.world.succeed(qa.stack, "state", "list")).stdout.trim().split("\n");
    const rules = made.filter((address) => /ingress_rule.*"kafka /.test(address));
    expect(rules.map((address) => /"kafka (.*)"/.exec(address)![1])).toEqual([
      ...["tcp 2181-2181 kafka", "tcp 2888-2888 kafka", "tcp 3888-3888 kafka"],
      ...["tcp 9092-9092 kafka", "tcp 9092-9092 sg-0ab1"],
    ]);

    await using prod = await StackWorld.start("prod");
    giveKafka(prod, 3);
    expect(
      Object.keys(await prod.plan())
        .filter(ofKafka)
        .sort(),
    ).toEqual(made.filter(ofKafka).sort());
  });

  test("two nodes: the plan says that they elect no leader when one is lost", async () => {
    await using own = await StackWorld.start("dev");
    giveKafka(own, 2);
    const { stdout } = await own.world.succeed(own.stack, "plan", "-var-file=../environments/dev.tfvars");
    expect(stdout.replace(/[\s│╷╵]+/g, " ")).toContain("2 ZooKeepers elect no leader when one is lost");
  });
});
