/** A DMS endpoint, without anything secret. */
export interface ReplicationEndpoint {
  readonly id: string;
  readonly arn: string;
  readonly type: "source" | "target";
  readonly engine: string;
  /** The secret it reads its login from, by name or ARN; absent when user and password stand in DMS in clear text. */
  readonly secret?: string;
  /** The user of a clear-text endpoint. */
  readonly username?: string;
}

/** What a DMS task connects, and since when it runs. */
export interface TaskLink {
  readonly taskId: string;
  readonly taskArn: string;
  readonly sourceEndpointArn: string;
  readonly targetEndpointArn: string;
  readonly instanceArn: string;
  /** When it last began to run; DMS logs in then. */
  readonly startedAt?: Date;
}

/** How a replication instance got on with an endpoint, when it was last tried. */
export interface ConnectionTest {
  readonly status: string;
  /** DMS's own words. */
  readonly failure?: string;
}

/** DMS endpoints and their connection tests. */
export interface ReplicationEndpoints {
  /** For these tasks, by ARN. Fails `configuration` naming those that don't exist. */
  links(taskArns: readonly string[]): Promise<readonly TaskLink[]>;
  /** Every endpoint of the account. */
  list(): Promise<readonly ReplicationEndpoint[]>;
  /** The result of the last test; `undefined` when there was none. Asks nobody to connect. */
  lastTest(endpointArn: string, instanceArn: string): Promise<ConnectionTest | undefined>;
  /**
   * Has the replication instance log in to the endpoint now, and waits for the end, at most `timeoutSeconds`. A failed
   * test is a result; fails `unknown` when no end was seen.
   */
  test(endpointArn: string, instanceArn: string, timeoutSeconds: number): Promise<ConnectionTest>;
}
