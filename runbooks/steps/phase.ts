import { currentKey } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Step } from "../engine/runbook.ts";

/** A step that moves the failback to a phase; being there already counts as done. */
export function phaseStep(to: Phase, what: string, undo: string): Step {
  return {
    name: `phase-${to}`,
    what,
    undo,
    plan: () => [{ call: "S3 PutObject If-Match", target: currentKey, parameters: { phase: to } }],
    run: async ({ phases, failbackId, caller }) => {
      const current = await phases.move(failbackId, to, caller.actor);
      return { note: `phase ${current.phase}` };
    },
  };
}
