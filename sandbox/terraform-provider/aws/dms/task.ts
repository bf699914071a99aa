/** aws_dms_replication_task */
import type { Change, Context, Resource } from "../../resource.ts";
import { isUnknown, sameValue, text, type Value, type Values } from "../../values.ts";
import { tagList } from "../tags.ts";
import {
  arnPattern,
  type Described,
  deleteAndWait,
  dms,
  dmsTags,
  find,
  identifierPatterns,
  updateDmsTags,
  waitForStatus,
} from "./api.ts";
import { sameTaskSettings, settingsRefusal, withoutReadOnly } from "./task-settings.ts";

const arns = ["replication_instance_arn", "source_endpoint_arn", "target_endpoint_arn"];
/** Statuses in which nothing is under way. */
const settled = ["ready", "stopped", "failed", "running"];

function findTask(context: Context, values: Values): Promise<Described | undefined> {
  const lookup = {
    operation: "DescribeReplicationTasks",
    list: "ReplicationTasks",
    filter: "replication-task-id",
  };
  return find(context, values, lookup, String(values.id));
}

async function waitForTask(context: Context, state: Values, wanted: readonly string[]): Promise<Described> {
  const what = `DMS Replication Task (${state.id})`;
  return waitForStatus(what, () => findTask(context, state), "Status", wanted);
}

function given(value: Value | undefined): Value | undefined {
  return value === null || isUnknown(value) ? undefined : value;
}

function startTime(values: Values): number | undefined {
  const seconds = Number(text(values.cdc_start_time) ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** `start_replication_task`: start-replication for a task that never ran, resume-processing for any other. */
async function start(context: Context, state: Values): Promise<void> {
  const task = await findTask(context, state);
  await dms(context, state, "StartReplicationTask", {
    ReplicationTaskArn: task?.ReplicationTaskArn,
    StartReplicationTaskType: task?.Status === "ready" ? "start-replication" : "resume-processing",
  });
  const seen = await waitForTask(context, state, ["running", "stopped", "failed"]);
  if (seen.Status !== "running")
    throw new Error(
      `waiting for DMS Replication Task (${state.id}) start: unexpected state '${String(seen.Status)}', wanted target 'running'`,
    );
}

async function stop(context: Context, state: Values): Promise<void> {
  await dms(context, state, "StopReplicationTask", { ReplicationTaskArn: state.replication_task_arn });
  await waitForTask(context, state, ["stopped"]);
}

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const untouched = ["tags", "tags_all", "start_replication_task", "status", "resource_identifier"];
  // The SDK compares typed values: a flag that isn't in the state, as after an import, was false.
  const before: Values = { ...prior, start_replication_task: prior.start_replication_task ?? false };
  const changed = Object.keys(planned).filter((name) => !sameValue(before[name], planned[name]));
  const running = text(prior.status) === "running";
  if (changed.some((name) => !untouched.includes(name))) {
    if (running) await stop(context, prior);
    await dms(context, prior, "ModifyReplicationTask", {
      ReplicationTaskArn: prior.replication_task_arn,
      MigrationType: planned.migration_type,
      TableMappings: planned.table_mappings,
      ...(changed.includes("replication_task_settings")
        ? { ReplicationTaskSettings: given(planned.replication_task_settings) }
        : {}),
      ...(changed.includes("cdc_start_position")
        ? { CdcStartPosition: given(planned.cdc_start_position) }
        : {}),
      ...(changed.includes("cdc_start_time") ? { CdcStartTime: startTime(planned) } : {}),
    });
    await waitForTask(context, prior, ["ready", "stopped", "failed"]);
    if (planned.start_replication_task === true) await start(context, prior);
  } else if (changed.includes("start_replication_task")) {
    if (planned.start_replication_task === true && !running) await start(context, prior);
    if (planned.start_replication_task !== true && running) await stop(context, prior);
  }
  await updateDmsTags(context, prior, planned, String(prior.replication_task_arn));
  return undefined;
}

export const task: Resource = {
  rules: {
    source:
      "github.com/hashicorp/terraform-provider-aws internal/service/dms/{replication_task,task_settings_json,validate}.go",
    forceNew: [...arns, "replication_task_id", "resource_identifier"],
    defaults: { start_replication_task: false },
    oneOf: { migration_type: ["full-load", "cdc", "full-load-and-cdc"] },
    pattern: {
      replication_task_id: identifierPatterns(255),
      ...Object.fromEntries(arns.map((name) => [name, arnPattern])),
    },
    json: ["table_mappings", "replication_task_settings"],
    sameAs: { replication_task_settings: sameTaskSettings },
    conflicts: [["cdc_start_position", "cdc_start_time"]],
    check: ({ replication_task_settings: settings }) => {
      const says = typeof settings === "string" ? settingsRefusal(settings) : undefined;
      return says === undefined ? [] : [{ path: "replication_task_settings", says }];
    },
  },
  async create({ planned }, context) {
    const answer = await dms(context, planned, "CreateReplicationTask", {
      ReplicationTaskIdentifier: planned.replication_task_id,
      MigrationType: planned.migration_type,
      ReplicationInstanceArn: planned.replication_instance_arn,
      SourceEndpointArn: planned.source_endpoint_arn,
      TargetEndpointArn: planned.target_endpoint_arn,
      TableMappings: planned.table_mappings,
      ReplicationTaskSettings: given(planned.replication_task_settings),
      ResourceIdentifier: given(planned.resource_identifier),
      CdcStartPosition: given(planned.cdc_start_position),
      CdcStartTime: startTime(planned),
      Tags: tagList(planned),
    });
    const created = answer.ReplicationTask as Described;
    return {
      id: String(planned.replication_task_id).toLowerCase(),
      replication_task_arn: String(created.ReplicationTaskArn),
    };
  },
  async settle(state, context) {
    await waitForTask(context, state, settled);
    if (state.start_replication_task === true && (await findTask(context, state))?.Status === "ready")
      await start(context, state);
  },
  async read(state, context) {
    const found = await findTask(context, state);
    if (!found || found.Status === "deleting") return undefined;
    const arn = String(found.ReplicationTaskArn);
    return {
      id: String(found.ReplicationTaskIdentifier),
      cdc_start_position: (found.CdcStartPosition as string | undefined) ?? null,
      migration_type: String(found.MigrationType),
      replication_instance_arn: String(found.ReplicationInstanceArn),
      replication_task_arn: arn,
      replication_task_id: String(found.ReplicationTaskIdentifier),
      replication_task_settings: withoutReadOnly(String(found.ReplicationTaskSettings ?? "{}")),
      source_endpoint_arn: String(found.SourceEndpointArn),
      status: String(found.Status),
      table_mappings: String(found.TableMappings),
      target_endpoint_arn: String(found.TargetEndpointArn),
      ...(await dmsTags(context, state, arn)),
    };
  },
  update,
  async delete(state, context) {
    // As the real provider: what the state says counts, and Terraform has just refreshed it.
    if (text(state.status) === "running") await stop(context, state);
    await deleteAndWait(
      () => dms(context, state, "DeleteReplicationTask", { ReplicationTaskArn: state.replication_task_arn }),
      `DMS Replication Task (${state.id})`,
      () => findTask(context, state),
    );
  },
};
