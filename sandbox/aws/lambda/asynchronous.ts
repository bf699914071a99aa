/** Calls whose callers don't wait: queued, tried again when the function fails, and in the end told to its failure destination. */
import type { Outcome } from "./run.ts";

/** How a function's asynchronous calls are handled (PutFunctionEventInvokeConfig). */
export interface EventInvokeConfig {
  readonly MaximumRetryAttempts?: number;
  readonly MaximumEventAgeInSeconds?: number;
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination?: string } };
}

interface Queue {
  readonly functionName: string;
  readonly functionArn: string;
  run(event: string, requestId: string): Promise<Outcome>;
  readonly config: EventInvokeConfig;
}

const retriesDefault = 2;
/** AWS waits a minute before the first repetition, two before the second. */
const realRetryDelaysMs = [60_000, 120_000] as const;

export class AsynchronousCalls {
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private isStopped = false;
  /** For tests that can't wait for minutes. */
  retryDelaysMs: readonly number[] = realRetryDelaysMs;

  constructor(
    private readonly publish: (topicArn: string, message: string) => void,
    private readonly now: () => Date,
  ) {}

  /** Calls the function `delayMs` from now, in the order of the calls, several at a time. */
  add(queue: Queue, event: string, requestId: string, delayMs = 0): void {
    this.later(delayMs, () => this.attempt(queue, event, requestId, 1));
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  private later(ms: number, work: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void work();
    }, ms);
    this.timers.add(timer);
  }

  private async attempt(queue: Queue, event: string, requestId: string, count: number): Promise<void> {
    const outcome = await queue.run(event, requestId);
    if (this.isStopped || outcome.error === undefined) return;
    const { MaximumRetryAttempts: retries = retriesDefault, DestinationConfig: destinations } = queue.config;
    if (count <= retries) {
      const delay = this.retryDelaysMs[count - 1] ?? this.retryDelaysMs.at(-1) ?? 0;
      this.later(delay, () => this.attempt(queue, event, requestId, count + 1));
      return;
    }
    const destination = destinations?.OnFailure?.Destination;
    if (destination)
      this.publish(destination, JSON.stringify(this.record(queue, event, requestId, count, outcome)));
  }

  /** AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations". */
  private record(queue: Queue, event: string, requestId: string, count: number, outcome: Outcome): object {
    return {
      version: "1.0",
      timestamp: this.now().toISOString(),
      requestContext: {
        requestId,
        functionArn: `${queue.functionArn}:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: count,
      },
      requestPayload: JSON.parse(event) as unknown,
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: outcome.error },
      responsePayload: JSON.parse(outcome.payload) as unknown,
    };
  }
}
