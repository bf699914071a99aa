import type { Host, Step, StepContext } from "../engine/runbook.ts";

interface ActionStep<C extends StepContext> {
  readonly name: string;
  readonly what: string;
  readonly undo: string;
  readonly action: string;
  readonly every?: boolean;
  /** Where it runs, when that isn't the usual host: the failback's in a runbook, operations in an operation. */
  readonly host?: Host;
  /** Parameters beside the `failbackId` that every action of a runbook gets. */
  parameters?(context: C): Readonly<Record<string, string>>;
}

/** A step that is one action on the host. Its checks and data go to the journal. */
export function actionStep<C extends StepContext>(definition: ActionStep<C>): Step<C> {
  return {
    name: definition.name,
    what: definition.what,
    undo: definition.undo,
    ...(definition.every ? { every: true } : {}),
    plan: (context) => [
      context.plannedAction(definition.action, definition.parameters?.(context), definition.host),
    ],
    run: async (context) => {
      const result = await context.action(
        definition.action,
        definition.parameters?.(context),
        definition.host,
      );
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
}): Step<StepContext> {
  return actionStep({
    ...definition,
    action: "start-service",
    parameters: () => ({ unit: definition.unit }),
  });
}
