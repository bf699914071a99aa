import { AwsError, type JsonService, type Service } from "../service.ts";

interface Datum {
  readonly MetricName: string;
  readonly Value: number;
  readonly Unit: string;
  /** Seconds since 1970. */
  readonly Timestamp: number;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

const keptMax = 5000;
const dataMax = 1000;
/** CloudWatch API Reference, "MetricDatum", as far as the product measures. */
const units = ["Seconds", "Milliseconds", "Percent", "Count", "Bytes", "None"];

/**
 * CloudWatch as far as it is told: what was measured is seen at `/_sandbox/metrics`. Alarms are objects that Terraform's provider
 * keeps (`objects/`); none of them rings here.
 */
export function create(): Service[] {
  const kept: (Datum & { readonly Namespace: string })[] = [];
  const service: JsonService = {
    kind: "json",
    name: "monitoring",
    targetPrefix: "GraniteServiceVersion20100801",
    operations: {
      PutMetricData: (input) => {
        const namespace = input.Namespace;
        if (typeof namespace !== "string" || namespace === "")
          throw new AwsError("MissingRequiredParameterException", "The parameter Namespace is required.");
        if (namespace.startsWith("AWS/"))
          throw new AwsError(
            "InvalidParameterValueException",
            "The value AWS/ for parameter Namespace is invalid.",
          );
        const data = (input.MetricData ?? []) as Datum[];
        if (data.length > dataMax)
          throw new AwsError(
            "InvalidParameterValueException",
            `The collection MetricData must not have a size greater than ${dataMax}.`,
          );
        for (const datum of data) check(datum);
        kept.push(...data.map((datum) => ({ ...datum, Namespace: namespace })));
        kept.splice(0, Math.max(0, kept.length - keptMax));
        return {};
      },
    },
    control: { metrics: () => kept },
  };
  return [service];
}

function check({ MetricName, Value, Unit, Dimensions = [] }: Partial<Datum>): void {
  if (!MetricName)
    throw new AwsError("MissingRequiredParameterException", "The parameter MetricName is required.");
  // JSON has no NaN and no infinity: the SDK sends them as texts, and CloudWatch refuses them.
  if (typeof Value !== "number" || !Number.isFinite(Value))
    throw new AwsError(
      "InvalidParameterValueException",
      `The value ${Value} for parameter ${MetricName}.Value is invalid.`,
    );
  if (Unit !== undefined && !units.includes(Unit))
    throw new AwsError(
      "InvalidParameterValueException",
      `The parameter Unit must be a value in the set [${units.join(", ")}].`,
    );
  for (const { Name, Value: value } of Dimensions)
    if (!Name || !value)
      throw new AwsError("InvalidParameterValueException", "The value of a dimension must not be empty.");
}
