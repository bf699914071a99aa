import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import type { Metric } from "../../core/monitoring/metrics.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";

/** A request of PutMetricData takes a thousand; more than a handful is a mistake. */
const metricsMax = 100;

/** CloudWatch's metrics of one environment. Fails with RoundtripError naming the namespace. */
export class AwsMetrics {
  private readonly client: CloudWatchClient;

  constructor(settings: ClientSettings = {}) {
    this.client = new CloudWatchClient(clientOptions(settings));
  }

  /** Puts all of them as of `at`, in the dimension `Environment`; nothing where there are none. */
  async put(
    namespace: string,
    environment: string,
    at: Date,
    metrics: readonly Pick<Metric, "name" | "value" | "unit">[],
  ): Promise<void> {
    if (metrics.length === 0) return;
    if (metrics.length > metricsMax) throw new RangeError(`${metrics.length} metrics at once`);
    const data = metrics.map(({ name, value, unit }) => ({
      MetricName: name,
      Value: value,
      Unit: unit,
      Timestamp: at,
      Dimensions: [{ Name: "Environment", Value: environment }],
    }));
    try {
      await this.client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: data }));
    } catch (error) {
      throw awsError(error, {
        what: `publish ${metrics.length} metrics in CloudWatch's namespace ${namespace}`,
        expected: "CloudWatch to take them",
        wayOut: "let the host's role write that namespace (terraform/stack/main.iam.hosts.tf)",
      });
    }
  }
}
