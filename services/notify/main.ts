/** The lambda notify. Built by scripts/build-notify.ts; the handler is `index.handler`. */
import { randomUUID } from "node:crypto";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createSecrets } from "../../adapters/aws/secrets.ts";
import { systemClock } from "../../adapters/clock.ts";
import { SlackWebhook } from "../../adapters/slack/webhook.ts";
import { ToldNotices } from "../../adapters/state/told-notices.ts";
import { lambdaFailure } from "../lambda/failure.ts";
import { lambdaLogger } from "../lambda/logger.ts";
import { redactingSecrets } from "../lambda/redact.ts";
import { notify } from "./run.ts";
import { readSettings } from "./settings.ts";

interface LambdaContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}

/** For the record of what was told, after the last post. */
const reserveMs = 5_000;

/** Tells Slack of what an event of S3 or SNS says. An error names what, expected, got, way out; Lambda calls again. */
export async function handler(event: unknown, context: LambdaContext): Promise<{ told: number }> {
  const secrets = redactingSecrets(createSecrets());
  const logger = lambdaLogger("notify", context.awsRequestId, secrets.redact);
  try {
    const { environment, bucket, region, repository, webhookSecret } = readSettings(process.env);
    const store = createObjectStore({ bucket, region });
    const timeLeftMs = () => context.getRemainingTimeInMillis() - reserveMs;
    return await notify(event, {
      context: { environment, ...(repository ? { repository } : {}) },
      bucket,
      functionName: context.functionName,
      store,
      logger,
      // Lambda repeats a call under the same request's id: a run has one of its own.
      told: new ToldNotices(store, systemClock, randomUUID(), timeLeftMs),
      post: async (message) => {
        const webhook = SlackWebhook.of(await secrets.get(webhookSecret), webhookSecret, systemClock);
        await webhook.post(message, timeLeftMs);
      },
    });
  } catch (error) {
    throw lambdaFailure(error, secrets.redact, logger);
  }
}
