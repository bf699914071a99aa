import { runService } from "../runtime/service.ts";
import { publishMetrics } from "./run.ts";

await runService(
  {
    name: "publish-metrics",
    summary:
      "Reckons the ages and lags of backups, oplog archive and capture from what they wrote into the bucket; puts them into CloudWatch and, as Prometheus' text, into metrics.prom of the state directory. Ends at once.",
    examples: ["roundtrip-worker publish-metrics"],
  },
  async (service) => {
    const { AwsMetrics } = await import("../../adapters/aws/metrics.ts");
    await publishMetrics(service, new AwsMetrics({ region: service.environment.region }));
  },
);
