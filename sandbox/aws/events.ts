/** A function called by a service of AWS rather than by a request. */
export interface ServiceCall {
  readonly functionArn: string;
  /** Who calls, such as `s3.amazonaws.com`, and for which of its things: the function's policy must let it. */
  readonly principal: string;
  readonly sourceArn: string;
  readonly event: object;
}

/** What services do to each other without a request of anybody's: each offers its part as it starts. */
export class Events {
  private functions:
    | { call(call: ServiceCall): void; mayCall(call: Omit<ServiceCall, "event">): boolean }
    | undefined;
  private topics: { publish(topicArn: string, message: string): void } | undefined;

  offerFunctions(functions: NonNullable<Events["functions"]>): void {
    this.functions = functions;
  }

  offerTopics(topics: NonNullable<Events["topics"]>): void {
    this.topics = topics;
  }

  /** Queues the call; a function that isn't there, or whose policy forbids it, is not called, and nobody is told. */
  call(call: ServiceCall): void {
    this.functions?.call(call);
  }

  mayCall(call: Omit<ServiceCall, "event">): boolean {
    return this.functions?.mayCall(call) ?? false;
  }

  /** A topic that isn't there gets nothing. */
  publish(topicArn: string, message: string): void {
    this.topics?.publish(topicArn, message);
  }
}
