import { expect, test } from "bun:test";
import { startTestAws } from "../../sandbox/aws/test-server.ts";
import { AwsMetrics } from "./metrics.ts";

test("metrics arrive with their unit, time and environment; nothing to say is no request; a refusal is told", async () => {
  await using aws = await startTestAws();
  const metrics = new AwsMetrics();
  const at = new Date("2026-11-21T12:00:00.000Z");
  await metrics.put("Roundtrip", "prod", at, []);
  await metrics.put("Roundtrip", "prod", at, [{ name: "OplogLagSeconds", value: 2.5, unit: "Seconds" }]);
  expect(await aws.control("GET", "metrics")).toEqual([
    {
      Namespace: "Roundtrip",
      MetricName: "OplogLagSeconds",
      Value: 2.5,
      Unit: "Seconds",
      Timestamp: at.getTime() / 1000,
      Dimensions: [{ Name: "Environment", Value: "prod" }],
    },
  ]);
  const wrong = metrics.put("Roundtrip", "prod", at, [{ name: "Age", value: Number.NaN, unit: "Seconds" }]);
  await expect(wrong).rejects.toThrow(
    /publish 1 metrics in CloudWatch's namespace Roundtrip.*InvalidParameterValue/s,
  );
});
