/** A service of the operations host that a person asks for something: the request lies in the bucket, so does the answer. */
import { randomBytes } from "node:crypto";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { requestKey, statusKey } from "../../core/backup/layout.ts";
import type { OperationContext } from "../engine/runbook.ts";
import { followAt } from "./await-service.ts";
import type { OperationStep } from "./selected-tasks.ts";

/** A runner has 6 hours; a laptop may run this again as long as the host works. */
const watchSeconds = 5.5 * 3600;

export interface AskedService<Answer> {
  /** The verb; its unit and its status have the same name. */
  readonly verb: string;
  /** What is asked for, and how to undo it, for a person. */
  readonly what: string;
  readonly undo: string;
  /** The request's own fields. */
  fieldsOf(context: OperationContext): Readonly<Record<string, unknown>>;
  /** The answer to a request, once there is one. */
  answerTo(context: OperationContext, request: string): Promise<Answer | undefined>;
  /** An answer that came while the runner was lost and is as good as a new one. Any other is asked for anew. */
  isGood(answer: Answer): boolean;
}

export interface AskedSteps<Answer> {
  readonly ask: OperationStep;
  readonly start: OperationStep;
  /** Waits for the answer. Fails as the service does, and `unknown` when it falls silent. */
  await(context: OperationContext): Promise<Answer>;
}

/** The steps `ask` and `start`, and the wait that follows them. */
export function askedService<Answer>(asked: AskedService<Answer>): AskedSteps<Answer> {
  const answered = async (context: OperationContext) => {
    const request = context.data("ask")?.request;
    return typeof request === "string" ? asked.answerTo(context, request) : undefined;
  };
  return {
    ask: askStep(asked, answered),
    start: startStep(asked, answered),
    await(context) {
      const since = String(context.data("start")?.startedAt);
      const followed = { services: [asked.verb], keyOf: statusKey, since, timeoutSeconds: watchSeconds };
      return followAt(context, followed, () => answered(context));
    },
  };
}

type Answered<Answer> = (context: OperationContext) => Promise<Answer | undefined>;

function askStep<Answer>(asked: AskedService<Answer>, answered: Answered<Answer>): OperationStep {
  const key = requestKey(asked.verb);
  return {
    name: "ask",
    what: "leave in the bucket what is asked for: the host takes no words from anybody",
    undo: asked.undo,
    every: true,
    plan: () => [{ call: "S3 PutObject", target: key }],
    run: async (context) => {
      const before = context.data("ask");
      const pending = (await readJson<{ request: string }>(context.store, key))?.value;
      if (before && pending?.request === before.request) return { data: before, note: "asked before" };
      const answer = before && (await answered(context));
      if (before && answer && asked.isGood(answer)) return { data: before, note: "answered before" };
      const request = `${context.operationId}-${randomBytes(2).toString("hex")}`;
      const fields = asked.fieldsOf(context);
      await writeJson(context.store, key, { version: 1, request, ...fields });
      return { data: { request }, note: JSON.stringify(fields) };
    },
  };
}

function startStep<Answer>(asked: AskedService<Answer>, answered: Answered<Answer>): OperationStep {
  const unit = `${asked.verb}.service`;
  return {
    name: "start",
    what: asked.what,
    undo: asked.undo,
    every: true,
    plan: (context) => [context.plannedAction("start-backup-service", { unit })],
    run: async (context) => {
      const before = context.data("start");
      if (before && (await answered(context))) return { data: before, note: "done before" };
      const { checks, data } = await context.action("start-backup-service", { unit });
      return { checks, data, note: `run ${String(data.run)}, begun ${String(data.startedAt)}` };
    },
  };
}
