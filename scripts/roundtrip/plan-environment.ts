/** The part of `roundtrip plan` that needs AWS; loaded with --env only, so that a plan of two files starts at once. */
import { readApplied } from "../../adapters/live/applied.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { livePlan } from "../../core/plan/live-plan.ts";
import type { LivePlan, Plan } from "../../core/plan/model.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import type { Tasks } from "../../core/tasks/tasks.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { dependenciesFor } from "./dependencies.ts";
import { liveStateOf, workUnderWay } from "./live.ts";
import type { ReadRevision } from "./revision.ts";

/** Tasks beside the changed ones whose last loads tell how fast this environment loads: a call each. */
const measuredTasksMax = 20;

/** An environment to plan for: what was last applied there, and what stands there now. */
export class PlannedEnvironment {
  private constructor(
    private readonly deps: RunbookDependencies,
    readonly name: EnvironmentName,
    /** Absent when nothing was ever applied. */
    readonly applied: ReadRevision | undefined,
  ) {}

  static async open(name: EnvironmentName): Promise<PlannedEnvironment> {
    const deps = await dependenciesFor(name, () => {});
    return new PlannedEnvironment(deps, name, await appliedRevision(deps));
  }

  /** What `plan` means for the environment as it stands; `base` is what should stand where nothing was ever applied. */
  async look(plan: Plan, head: Tasks, base: Tasks | undefined): Promise<LivePlan> {
    const { environment, store, clock } = this.deps;
    const { phase } = await new PhaseStore(store, clock, environment.environment).read();
    const declaredIds = plan.tasks.map(({ id }) => id);
    const changed = plan.tasks.filter(({ collectionsLoaded }) => collectionsLoaded.length > 0);
    const tablesOf = new Set([...changed.map(({ id }) => id), ...declaredIds.slice(0, measuredTasksMax)]);
    const live = await liveStateOf(this.deps, { declaredIds, tablesOf });
    return livePlan({
      plan,
      name: this.name,
      environment,
      base: this.applied?.tasks ?? base,
      head,
      live,
      phase,
      underWay: await workUnderWay(this.deps),
    });
  }
}

async function appliedRevision({
  store,
  environment,
}: RunbookDependencies): Promise<ReadRevision | undefined> {
  const applied = await readApplied(store, environment.environment);
  if (!applied) return undefined;
  const { commit, tree } = applied.document;
  return { revision: { name: "applied", commit, tree }, tasks: applied.tasks };
}
