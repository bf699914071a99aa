import { exitCodes, type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { ActionResult, Environment } from "../../core/failback/documents.ts";
import { failureOfChecks } from "../../core/failback/failed-checks.ts";
import type { CommandResult, Commands } from "../../core/ports.ts";
import type { Journal } from "./journal.ts";

/** The SSM document of an action, as Terraform names it. */
export function documentName(environment: Environment, action: string): string {
  return `${environment.documentPrefix}-${action}`;
}

export interface ActionCall {
  readonly step: string;
  readonly action: string;
  readonly instanceId: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/**
 * Sends the document, or re-attaches to the command that this step had already sent, and waits for its end.
 * Gives the action's result; anything but a whole, successful one is thrown.
 */
export async function callAction(
  deps: { commands: Commands; environment: Environment; journal: Journal },
  call: ActionCall,
): Promise<ActionResult> {
  const document = documentName(deps.environment, call.action);
  const { instanceId, parameters } = call;
  let commandId = deps.journal.sentCommand(call.step, { document, instanceId, parameters })?.id;
  if (!commandId) {
    commandId = await deps.commands.send(instanceId, document, parameters);
    const command = { id: commandId, instanceId, document, parameters };
    await deps.journal.append({ step: call.step, event: "sent", command });
  }
  const result = await deps.commands.wait(call.instanceId, commandId, call.timeoutSeconds);
  return resultOf(call.action, result);
}

/** The action's result out of what SSM gives; anything but a whole, successful one is thrown. */
export function resultOf(action: string, result: CommandResult): ActionResult {
  const parsed = lastJsonLine(result.stdout);
  if (parsed && result.status === "success" && parsed.ok) return parsed;
  const failedChecks = parsed?.checks.filter((check) => !check.ok) ?? [];
  if (parsed && failedChecks.length > 0) {
    const failure = failureOfChecks(failedChecks);
    const what = `action ${action} on the host: ${failure.what}`;
    throw new RoundtripError({ ...failure, kind: kindOf(result.exitCode), what });
  }
  const said = result.stderr.trim().split("\n").slice(-6).join(" ").slice(-1500);
  throw new RoundtripError({
    kind: kindOf(result.exitCode),
    what: `action ${action} on the host (command ${result.commandId})`,
    expected: "status success, exit code 0 and a result",
    got: `status ${result.status}, exit code ${result.exitCode}: ${said || "no message"}`,
    wayOut: "read the message; mend the cause and run the same runbook again, it goes on at this step",
  });
}

function kindOf(exitCode: number): FailureKind {
  const found = Object.entries(exitCodes).find(([kind, code]) => kind !== "ok" && code === exitCode);
  return (found?.[0] as FailureKind | undefined) ?? "internal";
}

function lastJsonLine(stdout: string): ActionResult | undefined {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as ActionResult;
  } catch {
    return undefined;
  }
}
