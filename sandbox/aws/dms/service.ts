/** AWS Database Migration Service: its API and state machine, over a mover that really carries the data. */
import type { JsonService, RequestContext, Service, ServiceContext } from "../service.ts";
import type { Input } from "./input.ts";
import type { Task } from "./model.ts";
import { Movement } from "./movement/movement.ts";
import { accountOperations } from "./operations/account.ts";
import { certificateOperations } from "./operations/certificates.ts";
import { connectionOperations } from "./operations/connections.ts";
import { endpointOperations } from "./operations/endpoints.ts";
import { instanceOperations } from "./operations/instances.ts";
import { controlDms } from "./operations/knobs.ts";
import { subnetGroupOperations } from "./operations/subnet-groups.ts";
import { tagOperations } from "./operations/tags.ts";
import { taskActions } from "./operations/task-actions.ts";
import { forgetTask, taskOperations } from "./operations/tasks.ts";
import { Store } from "./store.ts";

/** What every operation works on. */
export class Dms {
  readonly store: Store;
  readonly movement: Movement;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(readonly context: ServiceContext) {
    this.store = new Store(context.db);
    this.movement = new Movement(context, this.store);
  }

  /** Does something when the passing status has been shown long enough. */
  later(action: () => void | Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      Promise.resolve()
        .then(action)
        .catch((cause: unknown) => console.error("dms: a change of status failed", cause));
    }, this.store.knobs().settleMs);
    this.#timers.add(timer);
  }

  /** Statuses that were passing when the stand-in ended come to their end; tasks that ran go on. */
  recover(): void {
    for (const instance of this.store.all("instance")) {
      if (instance.status === "deleting") this.store.delete("instance", instance.arn);
      else this.store.put("instance", instance.arn, { ...instance, status: "available" });
    }
    for (const endpoint of this.store.all("endpoint")) {
      if (endpoint.status === "deleting") this.store.delete("endpoint", endpoint.arn);
    }
    for (const task of this.store.all("task")) this.#recoverTask(task);
  }

  #recoverTask(task: Task): void {
    switch (task.status) {
      case "deleting":
        forgetTask(this, task.arn);
        break;
      case "starting":
      case "running":
        this.store.put("task", task.arn, { ...task, status: "running" });
        this.movement.start({ ...task, status: "running" });
        break;
      case "stopping":
        this.store.put("task", task.arn, {
          ...task,
          status: "stopped",
          stopReason: "Stop Reason NORMAL",
          stoppedAt: Date.now(),
        });
        break;
      case "creating":
      case "modifying":
        this.store.put("task", task.arn, {
          ...task,
          status: task.startedAt === undefined ? "ready" : "stopped",
        });
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.movement.suspend();
  }
}

type DmsOperation = (dms: Dms, input: Input) => object;

export function create(): Service[] {
  let dms: Dms | undefined;
  const operations: Record<string, DmsOperation> = {
    ...endpointOperations,
    ...connectionOperations,
    ...subnetGroupOperations,
    ...certificateOperations,
    ...instanceOperations,
    ...accountOperations,
    ...taskOperations,
    ...taskActions,
    ...tagOperations,
  };
  const bound = Object.entries(operations).map(([name, operation]) => [
    name,
    (input: Input, _context: RequestContext) => {
      if (!dms) throw new Error("dms: not started");
      return operation(dms, input);
    },
  ]);
  const service: JsonService = {
    kind: "json",
    name: "dms",
    targetPrefix: "AmazonDMSv20160101",
    operations: Object.fromEntries(bound) as JsonService["operations"],
    control: {
      dms(request) {
        if (!dms) throw new Error("dms: not started");
        return controlDms(dms, request);
      },
    },
    start(context) {
      dms = new Dms(context);
      dms.recover();
    },
    async stop() {
      await dms?.close();
      dms = undefined;
    },
  };
  return [service];
}
