/** The lambda create-user-db. Built by scripts/build-create-user-db.ts; the handler is `index.handler`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createSecrets } from "../../adapters/aws/secrets.ts";
import { systemClock } from "../../adapters/clock.ts";
import { openProvisionCluster } from "../../adapters/mongo/provision-cluster.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { ProvisionResponse } from "../../core/provision/model.ts";
import { lambdaFailure } from "../lambda/failure.ts";
import { lambdaLogger } from "../lambda/logger.ts";
import { redactingSecrets } from "../lambda/redact.ts";
import { provision } from "./run.ts";
import { clusterAddress, readSettings } from "./settings.ts";

interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Does what the request declares (schemas/provision-request.schema.json). An error names what, expected, got, way out. */
export async function handler(event: unknown, context: LambdaContext): Promise<ProvisionResponse> {
  const secrets = redactingSecrets(createSecrets());
  const logger = lambdaLogger("create-user-db", context.awsRequestId, secrets.redact);
  try {
    const settings = readSettings(process.env);
    const { bucket, region, environment, masterSecret, replicationSecret } = settings;
    const certificates = join(process.env.LAMBDA_TASK_ROOT ?? ".", "global-bundle.pem");
    return await provision(event, {
      settings,
      secrets,
      clock: systemClock,
      logger,
      phase: () => new PhaseStore(createObjectStore({ bucket, region }), systemClock, environment).read(),
      openCluster: (master) => {
        const address = clusterAddress(master, settings, existsSync(certificates) ? certificates : undefined);
        return openProvisionCluster({ ...address, masterSecret, userSecret: replicationSecret });
      },
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
  } catch (error) {
    throw lambdaFailure(error, secrets.redact, logger);
  }
}
