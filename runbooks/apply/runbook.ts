/** Apply: what was reviewed, carried out in an order in which nothing is lost, wherever it is interrupted. */
import type { Operation } from "../engine/runbook.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import { applyName, type Proposal } from "./proposal.ts";
import { seeRenamed, seeTargetsEmpty } from "./steps/data.ts";
import { recordAsApplied, scorePredictions } from "./steps/finish.ts";
import { applyInfrastructure, planInfrastructure, seePublished } from "./steps/infrastructure.ts";
import { loadCollections } from "./steps/load.ts";
import { keepBefore, keepPlan, seeUnchanged } from "./steps/prepare.ts";
import { proveRunningAndLoaded } from "./steps/prove.ts";
import { provisionDatabases } from "./steps/provision.ts";
import { pauseAffected, startAffected } from "./steps/tasks.ts";
import { type ApplyOptions, type ApplyPorts, ApplyWork } from "./work.ts";

/** The operation that carries out one proposal. Everything up to `pause` only looks. */
export function applyOperation(proposal: Proposal, ports: ApplyPorts, options: ApplyOptions): Operation {
  const work = new ApplyWork(proposal, ports, options);
  return {
    kind: "operation",
    name: applyName,
    summary:
      "Carries out the reviewed plan of tasks.yaml: DMS, Terraform, databases, and the proof that it arrived.",
    inputs: [],
    steps: [
      keepPlan(work),
      seeUnchanged(work),
      operationsHostReady,
      keepBefore(work),
      seeTargetsEmpty(work),
      planInfrastructure(work),
      pauseAffected(work),
      seeRenamed(work),
      applyInfrastructure(work),
      seePublished(work),
      provisionDatabases(work),
      startAffected(work),
      loadCollections(work),
      proveRunningAndLoaded(work),
      scorePredictions(work),
      recordAsApplied(work),
      operationsHostAsBefore,
    ],
    next: "nothing: what was merged is what replicates",
  };
}
