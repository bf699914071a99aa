import { randomUUID } from "node:crypto";
import type { Events, ServiceCall } from "../events.ts";
import type { Identities } from "../identity.ts";
import type { ServiceContext } from "../service.ts";
import { AsynchronousCalls, type EventInvokeConfig } from "./asynchronous.ts";
import { functionArn } from "./configuration.ts";
import { type Calls, runFunction } from "./invoke.ts";
import type { FunctionPolicies } from "./policy.ts";
import type { Outcome } from "./run.ts";
import type { FunctionStore, LambdaFunction } from "./store.ts";

/** One run of a function, as `/_sandbox/invocations` shows it. */
interface Called {
  readonly functionName: string;
  readonly requestId: string;
  readonly event: string;
  readonly payload: string;
  readonly error: string | undefined;
  readonly log: string;
}

const calledMax = 500;

/** Runs functions, for requests and for other services, until the stand-in stops. */
export class FunctionCalls {
  readonly called: Called[] = [];
  readonly asynchronous: AsynchronousCalls;
  private readonly stopping = new AbortController();

  constructor(
    private readonly store: FunctionStore,
    private readonly policies: FunctionPolicies,
    private readonly identities: Identities,
    private readonly context: ServiceContext,
    events: Events,
  ) {
    this.asynchronous = new AsynchronousCalls(
      (topic, message) => events.publish(topic, message),
      context.now,
    );
    events.offerFunctions({
      call: (call) => this.forService(call),
      mayCall: (call) => this.mayCall(call),
    });
  }

  of(found: LambdaFunction): Calls {
    return {
      now: (event) => this.run(found.name, event, randomUUID()),
      later: (event) => this.later(found.name, event),
    };
  }

  stop(): void {
    this.asynchronous.stop();
    this.stopping.abort();
  }

  private mayCall({ functionArn: arn, principal, sourceArn }: Omit<ServiceCall, "event">): boolean {
    const found = this.store.find(nameIn(arn));
    return (
      found !== undefined && this.policies.allows(found.name, principal, sourceArn, this.context.account)
    );
  }

  private forService(call: ServiceCall): void {
    // A notification that S3 held back may come after the end.
    if (!this.stopping.signal.aborted && this.mayCall(call))
      this.later(nameIn(call.functionArn), JSON.stringify(call.event));
  }

  private later(functionName: string, event: string): void {
    const config: EventInvokeConfig = this.store.eventConfig(functionName) ?? {};
    const queue = {
      functionName,
      functionArn: functionArn(functionName, this.context),
      config,
      run: (text: string, requestId: string) => this.run(functionName, text, requestId),
    };
    this.asynchronous.add(queue, event, randomUUID());
  }

  /** The function as it is now: a queued call meets what was deployed meanwhile. */
  private async run(functionName: string, event: string, requestId: string): Promise<Outcome> {
    const found = this.store.find(functionName);
    if (found === undefined) return { payload: "null", error: undefined, log: "" };
    const { signal } = this.stopping;
    const outcome = await runFunction(found, event, this.identities, this.context, { requestId, signal });
    this.called.push({ functionName, requestId, event, ...outcome });
    if (this.called.length > calledMax) this.called.shift();
    return outcome;
  }
}

function nameIn(arn: string): string {
  return /:function:([^:]+)/.exec(arn)?.[1] ?? arn;
}
