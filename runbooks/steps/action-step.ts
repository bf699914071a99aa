import { documentName } from "../engine/action.ts";
import type { RunbookContext, Step } from "../engine/runbook.ts";

interface ActionStep {
  readonly name: string;
  readonly what: string;
  readonly undo: string;
  readonly action: string;
  readonly every?: boolean;
  /** Parameters beside `failbackId`. */
  parameters?(context: RunbookContext): Readonly<Record<string, string>>;
}

/** A step that is one action on the host. Its checks and data go to the journal. */
export function actionStep(definition: ActionStep): Step {
  return {
    name: definition.name,
    what: definition.what,
    undo: definition.undo,
    ...(definition.every ? { every: true } : {}),
    plan: (context) => [
      {
        call: `SSM ${documentName(context.environment, definition.action)}`,
        target: context.environment.instanceId,
        parameters: { failbackId: context.failbackId, ...definition.parameters?.(context) },
      },
    ],
    run: async (context) => {
      const result = await context.action(definition.action, definition.parameters?.(context) ?? {});
      return { checks: result.checks, data: result.data };
    },
  };
}

/** A step that starts one unit on the host; starting one that runs does nothing. */
export function startUnitStep(definition: {
  name: string;
  what: string;
  undo: string;
  unit: string;
  every?: boolean;
}): Step {
  return actionStep({
    ...definition,
    action: "start-service",
    parameters: () => ({ unit: definition.unit }),
  });
}
