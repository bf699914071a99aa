import type { EffectiveTask } from "../tasks/effective.ts";
import type { Collection, LobSettings } from "../tasks/model.ts";
import type { RuleName } from "./rule-table.ts";
import { listed } from "./words.ts";

export interface Change {
  readonly rule: RuleName;
  readonly change: string;
}

/** How one environment's settings of a task change, by rules of the rule table. */
export function settingChanges(base: EffectiveTask, head: EffectiveTask): Change[] {
  const changes: Change[] = [];
  const add = (rule: RuleName, key: string, from: string | number, to: string | number) => {
    if (from !== to) changes.push({ rule, change: `${key}: ${from} → ${to}` });
  };
  const [before, after] = [base.settings, head.settings];
  if (base.endpoint !== head.endpoint)
    add("endpoint-changed", "target endpoint", base.endpoint, head.endpoint);
  add(lobRule(before.lob, after.lob), "lob", lobWords(before.lob), lobWords(after.lob));
  add("target-preparation", "targetPreparation", before.targetPreparation, after.targetPreparation);
  add(
    "full-load-speed",
    "parallelCollections",
    before.fullLoad.parallelCollections,
    after.fullLoad.parallelCollections,
  );
  add("full-load-speed", "commitRate", before.fullLoad.commitRate, after.fullLoad.commitRate);
  add("parallel-load", "partitions", before.partitions, after.partitions);
  if (base.running !== head.running)
    changes.push({
      rule: head.running ? "running-started" : "running-stopped",
      change: `running: ${base.running} → ${head.running}`,
    });
  if (base.owners.join() !== head.owners.join())
    add("owners-changed", "owners", listed(base.owners) || "none", listed(head.owners) || "none");
  return changes;
}

/** What of collections that stay is different. */
export function collectionSettingChanges(kept: readonly (readonly [Collection, Collection])[]): Change[] {
  const changes: Change[] = [];
  for (const [before, after] of kept) {
    if (before.loadOrder !== after.loadOrder)
      changes.push({
        rule: "load-order",
        change: `loadOrder of ${after.name}: ${before.loadOrder ?? "none"} → ${after.loadOrder ?? "none"}`,
      });
    const [from, to] = [before, after].map(({ parallelLoad }) => JSON.stringify(parallelLoad) ?? "none");
    if (from !== to)
      changes.push({ rule: "parallel-load", change: `parallelLoad of ${after.name}: ${from} → ${to}` });
  }
  return changes;
}

function lobRule(before: LobSettings, after: LobSettings): RuleName {
  if (before.mode === "full" && after.mode === "full") return "lob-chunk";
  return lobLimit(after) > lobLimit(before) ? "lob-widened" : "lob-narrowed";
}

function lobLimit(lob: LobSettings): number {
  return lob.mode === "full" ? Number.POSITIVE_INFINITY : (lob.maxKilobytes ?? 0);
}

function lobWords(lob: LobSettings): string {
  return lob.mode === "full"
    ? `full, pieces of ${lob.chunkKilobytes} KB`
    : `limited, up to ${lob.maxKilobytes} KB`;
}
