/** "Could we fail back now?", fact by fact. */

/** `unknown` is never ready. */
export type FactState = "holds" | "fails" | "unknown";

export interface Fact {
  readonly name: string;
  readonly state: FactState;
  /** What must hold. */
  readonly limit: string;
  /** What is. */
  readonly value: string;
  /** What a person does about it; absent where it holds. */
  readonly wayOut?: string;
  /** False: worth knowing, but a failback succeeds without it. */
  readonly decides: boolean;
}

/** What action `readiness` finds on the host, in the `data` of its result. */
export interface HostReadiness {
  readonly version: 1;
  readonly workerVersion: string;
  readonly facts: readonly Fact[];
  /** What MongoDB's oplog holds; absent when MongoDB did not answer. Operation times as `{t, i}`. */
  readonly oplog?: {
    readonly first: { readonly t: number; readonly i: number };
    readonly last: { readonly t: number; readonly i: number };
  };
}

export interface ReadinessReport {
  readonly version: 1;
  readonly environment: string;
  readonly takenAt: string;
  /** `unknown`: nothing that was read forbids a failback, but not everything could be read. */
  readonly verdict: "ready" | "not-ready" | "unknown";
  readonly facts: readonly Fact[];
}

/** A fact that decides. */
export function fact(
  name: string,
  holds: boolean,
  words: { readonly limit: string; readonly value: string; readonly wayOut: string },
): Fact {
  const { limit, value, wayOut } = words;
  return {
    name,
    state: holds ? "holds" : "fails",
    limit,
    value,
    decides: true,
    ...(holds ? {} : { wayOut }),
  };
}

/** A fact nobody could find out. */
export function unknownFact(name: string, limit: string, value: string, wayOut: string): Fact {
  return { name, state: "unknown", limit, value, wayOut, decides: true };
}

/** The verdict of facts: what fails outweighs what isn't known. */
export function verdictOf(facts: readonly Fact[]): ReadinessReport["verdict"] {
  const deciding = facts.filter(({ decides }) => decides);
  if (deciding.some(({ state }) => state === "fails")) return "not-ready";
  return deciding.length > 0 && deciding.every(({ state }) => state === "holds") ? "ready" : "unknown";
}
