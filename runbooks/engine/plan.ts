import type { PlannedCall, Procedure, StepContext } from "./runbook.ts";

export interface PlannedStep {
  readonly step: string;
  readonly what: string;
  readonly calls: readonly PlannedCall[];
}

/** Each step with the exact calls it would make. Asks nobody and changes nothing. */
export function planOf<C extends StepContext>(procedure: Procedure<C>, context: C): PlannedStep[] {
  return procedure.steps.map((step) => ({ step: step.name, what: step.what, calls: step.plan(context) }));
}

type Described = Pick<Procedure<StepContext>, "name" | "summary">;

/** The plan as a person reads it. */
export function renderPlan(procedure: Described, steps: readonly PlannedStep[]): string {
  const lines = [`Plan of ${procedure.name}: ${procedure.summary}`, "Nothing is done in this mode.", ""];
  for (const [index, step] of steps.entries()) {
    lines.push(`${String(index + 1).padStart(2)}. ${step.step}: ${step.what}`);
    for (const call of step.calls) {
      const parameters = Object.entries(call.parameters ?? {}).map(([name, value]) => `${name}=${value}`);
      lines.push(
        `      ${call.call} → ${call.target}${parameters.length ? `  ${parameters.join(" ")}` : ""}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
