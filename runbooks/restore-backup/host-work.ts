import { readJson } from "../../adapters/state/json.ts";
import { statusKey } from "../../core/backup/layout.ts";
import { restoreVerb } from "../../core/backup/restores.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import type { OperationContext } from "../engine/runbook.ts";
import { followAt } from "../steps/await-service.ts";

export const unit = `${restoreVerb}.service`;

/** Starts the unit, or finds it at its work, and follows it. */
export async function startAndFollow<T>(
  context: OperationContext,
  timeoutSeconds: number,
  done: (status: ServiceStatus | undefined) => Promise<T | undefined>,
): Promise<T> {
  const { data } = await context.action("start-backup-service", { unit });
  const followed = {
    services: [restoreVerb],
    keyOf: statusKey,
    since: String(data.startedAt),
    timeoutSeconds,
  };
  return followAt(context, followed, (statuses) => {
    const status = statuses.get(restoreVerb);
    return done(status && status.startedAt >= String(data.startedAt) ? status : undefined);
  });
}

/** The host works on one request at a time: another one must not take its place. */
export async function assertNoneAtWork({ store, operationId }: OperationContext): Promise<void> {
  const status = (await readJson<ServiceStatus>(store, statusKey(restoreVerb)))?.value;
  const ended = !status || ["finished", "failed", "stopped"].includes(status.state);
  const other = String(status?.detail?.restore ?? "");
  if (ended || other === operationId || status.detail?.stage === "preview") return;
  throw new RoundtripError({
    kind: "refused",
    what: "ask for a restore",
    expected: "none at work on the host",
    got: `${other}, at ${String(status.detail?.stage)} (${status.updatedAt})`,
    wayOut:
      "run that one again with its inputs to follow it; roundtrip logs restore-backup shows where it is",
  });
}
