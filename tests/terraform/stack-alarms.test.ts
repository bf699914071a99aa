import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { StackWorld } from "../support/stack-world.ts";
import { terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(180_000);

describe.skipIf(!terraformProgram)(`terraform/stack: alarms${whyNoTerraform}`, () => {
  test("each task that shall run, the cluster and both hosts are watched; a task that is let rest loses its alarms alone", async () => {
    await using own = await StackWorld.start("qa");
    await own.apply();
    const { Objects } = (await own.world.call("stored-objects", "StoredObjects.ListObjects", {
      TypeName: "aws_cloudwatch_metric_alarm",
    })) as { Objects: { ObjectId: string; Attributes: { alarm_actions: string[]; dimensions: object } }[] };
    const tasks = ["billing", "shop-customers", "shop-orders"];
    expect(Objects.map(({ ObjectId }) => ObjectId)).toEqual(
      [
        ...tasks.flatMap((id) => [`dms-${id}-source`, `dms-${id}-target`]),
        "dms-storage",
        ...["cpu", "memory", "replica-lag"].map((name) => `documentdb-${name}`),
        ...["failback", "operations"].flatMap((name) => [`host-${name}-disk`, `host-${name}-status`]),
      ].map((name) => `roundtrip-qa-${name}`),
    );
    const topic = "arn:aws:sns:us-east-1:123456789012:roundtrip-qa-alarms";
    expect(new Set(Objects.flatMap(({ Attributes }) => Attributes.alarm_actions))).toEqual(new Set([topic]));
    const { operations } = await own.hosts();
    const status = Objects.find(({ ObjectId }) => ObjectId.endsWith("host-operations-status"));
    expect(status!.Attributes.dimensions).toEqual({ InstanceId: operations!.instance_id });

    const text = readFileSync(own.tasksFile, "utf8");
    writeFileSync(own.tasksFile, text.replace("  - id: billing\n", "  - id: billing\n    running: false\n"));
    const alarm = (side: string) =>
      `module.monitoring.aws_cloudwatch_metric_alarm.this["dms-billing-${side}"]`;
    expect(await own.plan()).toEqual({
      [alarm("source")]: "delete",
      [alarm("target")]: "delete",
      "module.monitoring.aws_cloudwatch_dashboard.this": "update",
    });
  });
});
