import { readJson } from "../../adapters/state/json.ts";
import type { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Scope } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import type { FailbackLoader } from "./definition.ts";
import type { StatusReporter } from "./status.ts";

/** See FailbackLoader. */
export function createFailbackLoader(
  store: ObjectStore,
  phaseStore: PhaseStore,
  status: StatusReporter,
): FailbackLoader {
  return {
    async open() {
      const { phase, failbackId, environment } = await phaseStore.read();
      if (phase === "normal") throw noneOpen(environment, failbackId);
      const keys = keysOf(failbackId);
      const scope = await readJson<Scope>(store, keys.scope);
      if (!scope) throw noScope(keys.scope);
      status.bind(failbackId);
      return { id: failbackId, phase, scope: scope.value, keys };
    },
  };
}

function noneOpen(environment: string, last: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `find the open failback of environment ${environment}`,
    expected: "a phase other than normal in failback/current.json",
    got: `phase normal (last failback: ${last || "none"})`,
    wayOut: "run failback-start first",
  });
}

function noScope(key: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read the failback's scope ${key}`,
    expected: "the databases and collections frozen at start",
    got: "no such object",
    wayOut: "run failback-start again: it writes the scope before anything else",
  });
}
