/** What every AWS client of the product is made with. Credentials and endpoints come from the AWS variables. */
export interface ClientSettings {
  readonly region?: string;
  /** Tries of one request in all, the first included; between them the SDK waits with exponential back-off and jitter. */
  readonly attemptsMax?: number;
  /** A request without an answer for this long has failed. */
  readonly requestTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

/** Options for an SDK v3 client: bounded tries, and timeouts that fail instead of only warning. */
export function clientOptions(settings: ClientSettings = {}): {
  region?: string;
  maxAttempts: number;
  requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    throwOnRequestTimeout: true;
    socketTimeout: number;
  };
} {
  const requestTimeout = settings.requestTimeoutMs ?? 30_000;
  return {
    ...(settings.region === undefined ? {} : { region: settings.region }),
    maxAttempts: settings.attemptsMax ?? 4,
    requestHandler: {
      connectionTimeout: settings.connectTimeoutMs ?? 3_000,
      requestTimeout,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
    },
  };
}
