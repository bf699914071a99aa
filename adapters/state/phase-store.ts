import { RoundtripError } from "../../core/errors.ts";
import type { CurrentFailback } from "../../core/failback/documents.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { assertTransition, type Phase } from "../../core/failback/phase.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

const casTriesMax = 5;

/** `failback/current.json`: the one place that says in which phase an environment is. */
export class PhaseStore {
  constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly environment: string,
  ) {}

  /** `normal` without an id when no failback was ever opened. */
  async read(): Promise<CurrentFailback> {
    return (await this.load()).value;
  }

  /** Opens a failback: `normal → capturing`. Fails `refused` when one is open already. */
  async open(failbackId: string, by: string): Promise<CurrentFailback> {
    return this.change((current) => {
      if (current.failbackId === failbackId && current.phase === "capturing") return current;
      if (current.phase !== "normal") throw alreadyOpen(current);
      return this.next({ ...current, failbackId }, "capturing", by);
    });
  }

  /** Moves the open failback on; `refused` when the state machine has no such step or another id is open. */
  async move(failbackId: string, to: Phase, by: string): Promise<CurrentFailback> {
    return this.change((current) => {
      if (current.failbackId !== failbackId) throw alreadyOpen(current);
      assertTransition(current.phase, to, failbackId);
      return current.phase === to ? current : this.next(current, to, by);
    });
  }

  private next(current: CurrentFailback, phase: Phase, by: string): CurrentFailback {
    const entry = { phase, at: this.clock.now().toISOString(), by };
    return { ...current, phase, history: [...current.history, entry] };
  }

  private async load(): Promise<{ value: CurrentFailback; etag?: string }> {
    const found = await readJson<CurrentFailback>(this.store, currentKey);
    if (found) return found;
    return {
      value: { version: 1, environment: this.environment, phase: "normal", failbackId: "", history: [] },
    };
  }

  private async change(edit: (current: CurrentFailback) => CurrentFailback): Promise<CurrentFailback> {
    for (let attempt = 1; ; attempt++) {
      const { value, etag } = await this.load();
      const next = edit(value);
      if (next === value) return value;
      try {
        await writeJson(this.store, currentKey, next, etag ? { ifMatch: etag } : { ifNoneMatch: true });
        return next;
      } catch (error) {
        if (!isPrecondition(error) || attempt === casTriesMax) throw error;
      }
    }
  }
}

function alreadyOpen(current: CurrentFailback): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `use the failback of environment ${current.environment}`,
    expected: "the id of the failback that is open, or phase normal",
    got: `failback ${current.failbackId || "none"} in phase ${current.phase}`,
    wayOut: "run `roundtrip status` and continue the failback that is open",
  });
}
