/** Server parameters: what getParameter shows and setParameter may change. */
import { ServerError } from "../engine/errors.ts";
import type { Value } from "../engine/value.ts";
import { isNumber } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { ReplyValue } from "../wire/writer.ts";
import type { ServerOptions } from "./options.ts";

type Kind = "boolean" | "number" | "string" | "fixed";

export class Parameters {
  private readonly values = new Map<string, { value: ReplyValue; kind: Kind }>();

  constructor(options: ServerOptions) {
    const version = options.serverVersion.split(".").slice(0, 2).join(".");
    this.define("authenticationMechanisms", ["SCRAM-SHA-1", "SCRAM-SHA-256"], "fixed");
    this.define("enableTestCommands", true, "fixed");
    this.define("authSchemaVersion", 5, "fixed");
    this.define("requireApiVersion", false, "boolean");
    this.define("featureCompatibilityVersion", { version }, "fixed");
    this.define("ttlMonitorEnabled", true, "boolean");
    this.define("ttlMonitorSleepSecs", 60, "number");
    this.define("cursorTimeoutMillis", 600_000n, "number");
    this.define("clientCursorMonitorFrequencySecs", 4, "number");
    this.define("localLogicalSessionTimeoutMinutes", 30, "fixed");
    this.define("logicalSessionRefreshMillis", 300_000, "number");
    this.define("transactionLifetimeLimitSeconds", 60, "number");
    this.define("maxTransactionLockRequestTimeoutMillis", 5, "number");
    this.define("notablescan", false, "boolean");
    this.define("logLevel", 0, "number");
    this.define("quiet", false, "boolean");
    this.define("scramIterationCount", 10_000, "number");
    this.define("scramSHA256IterationCount", 15_000, "number");
    this.define("internalQueryMaxBlockingSortMemoryUsageBytes", 104_857_600, "number");
    this.define("maxBSONDepth", 200, "number");
    this.define("storageEngineConcurrencyAdjustmentAlgorithm", "fixedConcurrentTransactions", "fixed");
    this.define("periodicNoopIntervalSecs", 10, "number");
    this.define("acceptApiVersion2", false, "boolean");
    this.define("minSnapshotHistoryWindowInSeconds", 300, "number");
  }

  private define(name: string, value: ReplyValue, kind: Kind): void {
    this.values.set(name, { value, kind });
  }

  all(): Record<string, ReplyValue> {
    return Object.fromEntries([...this.values].map(([name, { value }]) => [name, value]));
  }

  get(name: string): ReplyValue {
    return this.values.get(name)?.value;
  }

  numberOf(name: string): number {
    return Number(this.values.get(name)!.value);
  }

  isOn(name: string): boolean {
    return this.values.get(name)!.value === true;
  }

  /** @throws ServerError InvalidOptions for unknown and startup-only parameters, BadValue for a wrong type */
  set(name: string, given: Value): ReplyValue {
    const parameter = this.values.get(name);
    if (!parameter)
      throw new ServerError(
        "InvalidOptions",
        `attempted to set unrecognized parameter [${name}], use help:true to see options `,
      );
    if (parameter.kind === "fixed")
      throw new ServerError("IllegalOperation", `not allowed to change [${name}] at runtime`);
    const was = parameter.value;
    if (parameter.kind === "boolean") {
      parameter.value = isNumber(given) ? exactNumberOf(given) !== 0 : given === true;
    } else if (parameter.kind === "number") {
      if (!isNumber(given))
        throw new ServerError("BadValue", `Invalid value for parameter ${name}: expected a number`);
      parameter.value = typeof was === "bigint" ? BigInt(exactNumberOf(given)) : exactNumberOf(given);
    } else parameter.value = given;
    return was;
  }
}
