import { newestBackup } from "../../adapters/state/backups.ts";
import { dumpsPrefix } from "../../core/backup/layout.ts";
import type { RestoreRequest } from "../../core/backup/restores.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { OperationContext } from "../engine/runbook.ts";

export const isConfirmed = ({ inputs }: OperationContext) => inputs.confirm !== "-";
export const isInPlace = ({ inputs }: OperationContext) => inputs.into === "in-place";

/** What the host is asked for, by the inputs. Fails `configuration` where there is no backup, or no server beside. */
export async function requestOf(context: OperationContext): Promise<RestoreRequest> {
  const { store, inputs, environment, operationId, clock, caller } = context;
  const wanted = inputs.backup ?? "latest";
  const backupId = wanted === "latest" ? (await newestBackup(store))?.id : wanted;
  if (!backupId) throw noBackup();
  const secret = inputs.secret === "-" ? environment.backups?.scratchSecret : inputs.secret;
  if (!isInPlace(context) && !secret) throw noSecret(environment.environment);
  return {
    version: 1,
    id: operationId,
    environment: environment.environment,
    backupId,
    target: isInPlace(context) ? { kind: "in-place" } : { kind: "beside", secret: secret ?? "" },
    until: inputs.until ?? "",
    drop: inputs.drop === "true",
    requestedAt: clock.now().toISOString(),
    by: caller.actor,
  };
}

function noBackup(): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "find the newest backup",
    expected: `a manifest below ${dumpsPrefix}`,
    got: "none",
    wayOut: "take one: runbook backup",
  });
}

function noSecret(environment: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "choose the server beside",
    expected: "its secret: input secret, or backups.scratchSecret of the environment",
    got: "neither",
    wayOut: `give secret=‹name›, or set backup_scratch_secret_name in terraform/environments/${environment}.tfvars`,
  });
}
