/** Whether a case's `runOnRequirements` hold for the server under test. */
import type { Document } from "mongodb";
import type { Requirement } from "./schema.ts";

export interface ServerFacts {
  /** Like [7, 0, 14]. */
  readonly version: readonly number[];
  readonly topology: "replicaset";
  readonly parameters: Document;
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  for (const index of [0, 1, 2]) {
    const order = (left[index] ?? 0) - (right[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function unmet(requirement: Requirement, facts: ServerFacts): string | undefined {
  const version = facts.version.join(".");
  const { minServerVersion, maxServerVersion, topologies, serverless, auth, authMechanism, csfle } =
    requirement;
  if (minServerVersion && compareVersions(facts.version, minServerVersion.split(".").map(Number)) < 0)
    return `server ${minServerVersion} or later, this is ${version}`;
  if (maxServerVersion && compareVersions(facts.version, maxServerVersion.split(".").map(Number)) > 0)
    return `server ${maxServerVersion} or earlier, this is ${version}`;
  if (topologies && !topologies.includes(facts.topology)) return `topology ${topologies.join(" or ")}`;
  if (serverless === "require") return "serverless";
  if (auth === false) return "a server without authentication";
  if (
    authMechanism !== undefined &&
    !String(facts.parameters.authenticationMechanisms).includes(authMechanism)
  )
    return `authentication by ${authMechanism}`;
  if (csfle) return "client-side encryption";
  const parameters = Object.entries(requirement.serverParameters ?? {});
  const differing = parameters.find(([name, value]) => String(facts.parameters[name]) !== String(value));
  return differing && `server parameter ${differing[0]}: ${differing[1]}`;
}

/** @returns why none of the alternatives holds; undefined when one does or there are none */
export function unmetRequirement(
  alternatives: readonly Requirement[] | undefined,
  facts: ServerFacts,
): string | undefined {
  if (!alternatives || alternatives.length === 0) return undefined;
  const reasons = alternatives.map((requirement) => unmet(requirement, facts));
  return reasons.includes(undefined) ? undefined : `needs ${[...new Set(reasons)].join("; or ")}`;
}
