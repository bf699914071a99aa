import type { NoticeContext } from "../../core/notices/phase-notice.ts";
import type { SlackMessage } from "../../core/notices/slack-message.ts";
import type { Logger, ObjectStore } from "../../core/ports.ts";
import { type Happening, happeningsIn } from "./events.ts";
import { type DueNotice, isOwnFailure, messageNotices, toldObjects } from "./notices.ts";

export interface NotifyDependencies {
  readonly context: NoticeContext;
  readonly bucket: string;
  readonly functionName: string;
  readonly store: ObjectStore;
  readonly logger: Logger;
  /** What was told, and telling once. */
  readonly told: {
    isTold(key: string): Promise<boolean>;
    once(key: string, tell: () => Promise<void>): Promise<boolean>;
  };
  post(message: SlackMessage): Promise<void>;
}

/**
 * Tells Slack what the event's records say, each thing once and in order, whatever is delivered twice, late or not at all. Gives how
 * many were told now. Fails when one could not be told: what comes after it waits, and Lambda calls again.
 */
export async function notify(event: unknown, deps: NotifyDependencies): Promise<{ told: number }> {
  let told = 0;
  for (const happening of happeningsIn(event))
    for (const { key, message } of await noticesOf(happening, deps)) {
      const isNew = await deps.told.once(key, () => deps.post(message));
      if (isNew) told += 1;
      deps.logger.info({ notice: key }, isNew ? "told" : "was told already");
    }
  return { told };
}

async function noticesOf(happening: Happening, deps: NotifyDependencies): Promise<DueNotice[]> {
  const { context, bucket, functionName, store, told, logger } = deps;
  if (happening.kind === "message") {
    if (!isOwnFailure(happening.text, functionName))
      return messageNotices(happening.id, happening.text, context);
    logger.warn(
      { message: happening.id },
      "this function's own failure: the topic's other subscribers are told",
    );
    return [];
  }
  const isOurs = happening.bucket === bucket && Object.hasOwn(toldObjects, happening.key);
  const notices = isOurs ? toldObjects[happening.key] : undefined;
  if (notices) return notices({ context, store, isTold: (key) => told.isTold(key) });
  logger.warn({ bucket: happening.bucket, key: happening.key }, "an object nobody tells of");
  return [];
}
