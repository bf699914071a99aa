import type { InstanceStore } from "../ec2/instance-store.ts";
import type { RequestContext } from "../service.ts";
import type { CommandStore } from "./command-store.ts";
import type { Delivery } from "./delivery.ts";
import type { DocumentStore } from "./document-store.ts";
import type { Input } from "./input.ts";
import type { SsmSettings } from "./settings.ts";

/** What the operations of Run Command work on. */
export interface RunCommand {
  readonly documents: DocumentStore;
  readonly commands: CommandStore;
  readonly instances: InstanceStore;
  readonly delivery: Delivery;
  readonly settings: () => SsmSettings;
}

export type Act = (ssm: RunCommand, input: Input, context: RequestContext) => Promise<object> | object;
