/** Stopping and starting DMS tasks: never Terraform's business (R6). */
import { RoundtripError } from "../../../core/errors.ts";
import type { LiveTask } from "../../../core/live/live-state.ts";
import type { TaskPlan } from "../../../core/plan/model.ts";
import { listed } from "../../../core/plan/words.ts";
import type { ReplicationTask } from "../../../core/ports.ts";
import type { OperationContext } from "../../engine/runbook.ts";
import { atOnce } from "../at-once.ts";
import type { ApplyStep, ApplyWork } from "../work.ts";

const stopSeconds = 900;
const startSeconds = 1800;
const settleSeconds = 600;
const settlePollMs = 500;
/** A stop or a start takes DMS minutes, and each waits by asking: DMS allows 8 questions a second in the long run. */
const tasksAtOnce = 8;
/** Statuses DMS leaves by itself. */
const passing = new Set(["creating", "modifying", "moving", "testing", "deleting"]);

/** Stops the tasks that Terraform will change; those that stand still already are left as they are. */
export async function pauseTasks(
  context: OperationContext,
  tasks: readonly TaskPlan[],
): Promise<{ paused: string[]; stood: string[] }> {
  const found = await describe(context, tasks);
  const toStop = found.filter(
    ({ status }) => status === "running" || status === "starting" || status === "stopping",
  );
  for (const { id } of toStop) context.say(`  stopping DMS task ${id}`);
  const stopped = await atOnce(toStop, tasksAtOnce, ({ arn }) => context.tasks.stop(arn, stopSeconds));
  await atOnce(found, tasksAtOnce, ({ id }) => settled(context, id));
  return {
    paused: stopped.map(({ id }) => id),
    stood: found.filter((task) => !toStop.includes(task)).map(({ id, status }) => `${id} was ${status}`),
  };
}

export function pauseAffected(work: ApplyWork): ApplyStep {
  return {
    name: "pause",
    what: "stop the DMS tasks that are to be changed, and no other",
    undo: "resume them: roundtrip runbook tasks-resume",
    plan: () => work.toPause.map(({ id }) => ({ call: "DMS StopReplicationTask", target: id })),
    run: async (context) => {
      const { paused, stood } = await pauseTasks(context, work.toPause);
      const notes = [paused.length > 0 ? `paused ${listed(paused)}` : "nothing to pause", ...stood];
      return { data: { paused }, note: notes.join("; ") };
    },
  };
}

/** Starts what is to run, each the way its history and the plan need; what runs already is left alone. */
export function startAffected(work: ApplyWork): ApplyStep {
  return {
    name: "start",
    what: "start new DMS tasks and resume the paused ones that tasks.yaml wants running",
    undo: "pause them: roundtrip runbook tasks-pause",
    // What ended since an earlier try is started again.
    every: true,
    plan: () =>
      work.toStart.map((task) => ({
        call: "DMS StartReplicationTask",
        target: task.id,
        parameters: { startType: plannedStart(work, task) },
      })),
    run: async (context) => {
      const live = (await work.live()).tasks;
      const before = new Map((await work.before(context)).tasks.map((task) => [task.id, task]));
      const modes = await atOnce(work.toStart, tasksAtOnce, async (task) => {
        const isReloaded = live.get(task.id)?.freshlyStartedAt !== before.get(task.id)?.freshlyStartedAt;
        const reload = work.actionOf(task) === "reload" && !isReloaded;
        const mode = await startOne(context, found(live, task.id), reload);
        return mode ? [`${task.id} (${mode})`] : [];
      });
      const started = modes.flat();
      const stays = work.affected.filter(({ id }) => live.has(id) && !work.isWantedRunning(id));
      const notes = [
        started.length > 0 ? `started ${listed(started)}` : "nothing to start",
        ...(stays.length > 0
          ? [`left stopped, as tasks.yaml says: ${listed(stays.map(({ id }) => id))}`]
          : []),
      ];
      return { note: notes.join("; ") };
    },
  };
}

function plannedStart(work: ApplyWork, task: TaskPlan): string {
  const action = work.actionOf(task);
  if (action === "create" || action === "recreate") return "start-replication";
  return action === "reload" ? "reload-target" : "resume-processing, or start-replication when it never ran";
}

async function startOne(
  context: OperationContext,
  live: LiveTask,
  reload: boolean,
): Promise<string | undefined> {
  let { status } = await settled(context, live.id);
  if (status === "running" && reload) ({ status } = await context.tasks.stop(live.arn, stopSeconds));
  if (status === "running") return undefined;
  const mode = status === "ready" ? "start-replication" : reload ? "reload-target" : "resume-processing";
  context.say(`  starting DMS task ${live.id} (${mode})`);
  // A start that another try asked for counts: DMS is asked for what it is doing already.
  await context.tasks.start(live.arn, mode, startSeconds);
  return mode;
}

function found(live: ReadonlyMap<string, LiveTask>, id: string): LiveTask {
  const task = live.get(id);
  if (task) return task;
  throw new RoundtripError({
    kind: "configuration",
    what: `start DMS task ${id}`,
    expected: "the task that Terraform made",
    got: "no DMS task of that name",
    wayOut: "see what Terraform says of aws_dms_replication_task, then run this again",
  });
}

async function describe(context: OperationContext, tasks: readonly TaskPlan[]): Promise<ReplicationTask[]> {
  return tasks.length > 0 ? context.tasks.describe(tasks.map(({ id }) => id)) : [];
}

/** The task once DMS has left a status that passes by itself. Fails `unavailable` when that takes too long. */
async function settled(context: OperationContext, id: string): Promise<ReplicationTask> {
  const end = context.clock.monotonicMs() + settleSeconds * 1000;
  for (;;) {
    const [task] = await context.tasks.describe([id]);
    if (task && !passing.has(task.status)) return task;
    if (!task || context.clock.monotonicMs() > end)
      throw new RoundtripError({
        kind: "unavailable",
        what: `wait for DMS task ${id}`,
        expected: `a status that stays, within ${settleSeconds} s`,
        got: task ? task.status : "no task",
        wayOut: "look at the task in the console; running this again goes on waiting",
      });
    await context.clock.sleep(settlePollMs, context.signal);
  }
}
