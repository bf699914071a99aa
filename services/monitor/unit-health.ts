/** How a monitor sees the unit it waits for: at work, ended, or failed and why. */
import { readJson } from "../../adapters/state/json.ts";
import { exitCodes, type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ServiceContext } from "../runtime/definition.ts";

const startMsMax = 60_000;
const lookEveryMs = 200;

export type UnitHealth = "working" | "ended";

/**
 * Asks systemd about a unit of the worker. `working` includes waiting for its next restart. Fails with the unit's own
 * message, as its status object has it, when it is down for good.
 */
export async function unitHealth(
  service: Pick<ServiceContext, "units" | "store">,
  failbackId: string,
  name: string,
): Promise<UnitHealth> {
  const { active, result, exitStatus } = await service.units.state(`${name}.service`);
  if (active === "failed")
    throw await failureOf(service, failbackId, name, `${result}, exit code ${exitStatus}`);
  return active === "inactive" ? "ended" : "working";
}

/** Starts a unit without waiting for its work, and sees that it came up or has already ended well. */
export async function startUnit(service: ServiceContext, failbackId: string, name: string): Promise<void> {
  const { clock, signal, units } = service;
  const unit = `${name}.service`;
  await units.start(unit);
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < startMsMax) {
    const { active, result, exitStatus } = await units.state(unit);
    if (active === "active" || (active === "inactive" && result === "success" && exitStatus === 0)) return;
    if (active === "failed")
      throw await failureOf(service, failbackId, name, `${result}, exit code ${exitStatus}`);
    service.alive();
    await clock.sleep(lookEveryMs, signal);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `start ${unit}`,
    expected: `active within ${startMsMax / 1000} s`,
    got: (await units.state(unit)).active,
    wayOut: `see \`roundtrip logs ${name}\``,
  });
}

async function failureOf(
  { store }: Pick<ServiceContext, "store">,
  failbackId: string,
  name: string,
  said: string,
): Promise<RoundtripError> {
  const status = (await readJson<ServiceStatus>(store, keysOf(failbackId).status(name)))?.value;
  const kind = Object.entries(exitCodes).find(([, code]) => code === status?.exitCode)?.[0];
  const error = status?.state === "failed" ? status.error : undefined;
  return new RoundtripError({
    kind: error && kind && kind !== "ok" ? (kind as FailureKind) : "unavailable",
    what: `${name}.service failed${error ? `: ${error.what}` : ""}`,
    expected: error?.expected ?? "the unit at work, or ended with exit code 0",
    got: error?.got ?? said,
    wayOut: `${error?.wayOut ?? `see \`roundtrip logs ${name}\``}; then start ${name}.service and this monitor again`,
  });
}
