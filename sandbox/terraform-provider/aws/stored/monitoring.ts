/** CloudWatch, SNS, Scheduler. */
import { text } from "../../values.ts";
import { type StoredType, stored } from "./resource.ts";

const source = "github.com/hashicorp/terraform-provider-aws internal/service";
const retentions = [
  ...[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
    3653,
  ],
];

const logGroup: StoredType = {
  rules: {
    source: `${source}/logs/group.go`,
    forceNew: ["name", "name_prefix", "log_group_class"],
    defaults: { retention_in_days: 0, skip_destroy: false },
    conflicts: [["name", "name_prefix"]],
    check: ({ retention_in_days: days }) =>
      typeof days === "number" && !retentions.includes(days)
        ? [{ path: "retention_in_days", says: `expected one of ${retentions.join(", ")}, got ${days}` }]
        : [],
  },
  id: (values, made) => made.name(values),
  computed: (_values, id, { region, account }) => ({
    name: id,
    arn: `arn:aws:logs:${region}:${account}:log-group:${id}`,
    log_group_class: "STANDARD",
    deletion_protection_enabled: false,
  }),
};

const alarm: StoredType = {
  rules: {
    source: `${source}/cloudwatch/metric_alarm.go`,
    forceNew: ["alarm_name"],
    defaults: { actions_enabled: true, treat_missing_data: "missing" },
    oneOf: {
      comparison_operator: [
        ...["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"],
        ...["LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold"],
        ...["LessThanLowerThreshold", "GreaterThanUpperThreshold"],
      ],
      statistic: ["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
      treat_missing_data: ["breaching", "notBreaching", "ignore", "missing"],
    },
  },
  isPut: true,
  id: ({ alarm_name: name }) => String(name),
  computed: (_values, id, { region, account }) => ({
    arn: `arn:aws:cloudwatch:${region}:${account}:alarm:${id}`,
    evaluate_low_sample_count_percentiles: "",
  }),
};

const dashboard: StoredType = {
  rules: {
    source: `${source}/cloudwatch/dashboard.go`,
    forceNew: ["dashboard_name"],
    json: ["dashboard_body"],
  },
  isPut: true,
  id: ({ dashboard_name: name }) => String(name),
  computed: (_values, id, { account }) => ({
    dashboard_arn: `arn:aws:cloudwatch::${account}:dashboard/${id}`,
  }),
};

const metricFilter: StoredType = {
  rules: { source: `${source}/logs/metric_filter.go`, forceNew: ["name", "log_group_name"] },
  isPut: true,
  id: ({ name }) => String(name),
};

const topic: StoredType = {
  rules: {
    source: `${source}/sns/topic.go`,
    forceNew: ["name", "name_prefix", "fifo_topic"],
    defaults: { content_based_deduplication: false, fifo_topic: false },
    json: ["policy"],
    conflicts: [["name", "name_prefix"]],
  },
  isPut: true,
  id: (values, made) => `arn:aws:sns:${made.region}:${made.account}:${made.name(values)}`,
  computed: (values, id, { account }) => ({
    arn: id,
    name: text(values.name) ?? id.slice(id.lastIndexOf(":") + 1),
    owner: account,
  }),
};

const topicPolicy: StoredType = {
  rules: { source: `${source}/sns/topic_policy.go`, forceNew: ["arn"], json: ["policy"] },
  isPut: true,
  id: ({ arn }) => String(arn),
  computed: (_values, _id, { account }) => ({ owner: account }),
};

const subscription: StoredType = {
  rules: {
    source: `${source}/sns/topic_subscription.go`,
    forceNew: ["endpoint", "protocol", "topic_arn"],
    defaults: {
      confirmation_timeout_in_minutes: 1,
      endpoint_auto_confirms: false,
      raw_message_delivery: false,
    },
  },
  // Subscribe gives what is subscribed already.
  isPut: true,
  id: ({ topic_arn: topicArn, protocol, endpoint }) =>
    `${String(topicArn)}:${Bun.hash(`${String(protocol)} ${String(endpoint)}`).toString(16)}`,
  computed: ({ protocol }, id, { account }) => ({
    arn: id,
    owner_id: account,
    // A function has nothing to confirm.
    pending_confirmation: protocol !== "lambda",
    confirmation_was_authenticated: false,
    filter_policy_scope: "",
  }),
};

const logicalName = (attribute: string, file: string): StoredType => ({
  rules: { source: `${source}/${file}`, forceNew: [attribute] },
  isPut: true,
  id: (values, made) => made.name(values, attribute),
  computed: (values, id) => ({ [attribute]: text(values[attribute]) ?? id }),
});

export const monitoringTypes = {
  aws_cloudwatch_dashboard: stored(dashboard),
  aws_cloudwatch_log_group: stored(logGroup),
  aws_cloudwatch_log_metric_filter: stored(metricFilter),
  aws_cloudwatch_metric_alarm: stored(alarm),
  aws_sns_topic: stored(topic),
  aws_sns_topic_policy: stored(topicPolicy),
  aws_sns_topic_subscription: stored(subscription),
  aws_secretsmanager_secret_policy: stored(logicalName("secret_arn", "secretsmanager/secret_policy.go")),
};
