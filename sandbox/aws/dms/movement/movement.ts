/** The runs that are under way, and how each ends. */
import type { ServiceContext } from "../../service.ts";
import type { Endpoint, Task } from "../model.ts";
import type { Store } from "../store.ts";
import { connectTo, loginOf } from "./connections.ts";
import { type Outcome, Runner } from "./runner.ts";

export class Movement {
  readonly #runs = new Map<string, { runner: Runner; done: Promise<void> }>();

  constructor(
    readonly context: ServiceContext,
    readonly store: Store,
  ) {}

  /** Connects and logs in as a task would. Gives the failure's message, undefined when it worked. */
  async tryConnection(endpoint: Endpoint): Promise<string | undefined> {
    try {
      const client = await connectTo(endpoint, await loginOf(this.context, endpoint), 2_000);
      await client.close();
      return undefined;
    } catch (cause) {
      return `Test Endpoint failed: Application-Status: 1020912, Application-Message: Failed to connect to the endpoint: ${cause instanceof Error ? cause.message : cause}`;
    }
  }

  start(task: Task): void {
    if (this.#runs.has(task.arn)) throw new Error(`the task ${task.id} is already running`);
    const runner = new Runner(this.context, this.store, task);
    const done = runner.run().then(
      (outcome) => this.#ended(task.arn, outcome),
      (cause: unknown) => {
        console.error(`dms: the task ${task.id} broke`, cause);
        this.#ended(task.arn, {
          kind: "failed",
          reason: "FATAL_ERROR",
          message: `Last Error ${cause instanceof Error ? cause.message : cause}`,
        });
      },
    );
    this.#runs.set(task.arn, { runner, done });
  }

  #ended(arn: string, outcome: Outcome): void {
    this.#runs.delete(arn);
    this.store.updateTask(arn, (task) => {
      task.status = outcome.kind === "failed" ? "failed" : "stopped";
      task.stoppedAt = Date.now();
      task.stopReason = `Stop Reason ${outcome.kind === "stopped" ? "NORMAL" : outcome.reason}`;
      if (outcome.kind === "failed")
        task.failure = `${outcome.message} Stop Reason ${outcome.reason} Error Level ${outcome.reason === "FATAL_ERROR" ? "FATAL" : "RECOVERABLE"}`;
      else delete task.failure;
    });
  }

  runner(arn: string): Runner | undefined {
    return this.#runs.get(arn)?.runner;
  }

  /** Ends all runs without touching their tasks' status: they go on when the stand-in starts again. */
  async suspend(): Promise<void> {
    const statuses = new Map([...this.#runs.keys()].map((arn) => [arn, this.store.get("task", arn)]));
    for (const { runner } of this.#runs.values()) runner.stop();
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
    for (const [arn, task] of statuses) if (task) this.store.put("task", arn, task);
  }
}
