/** What every verb of the worker shares: command line, configuration, log, status, signals, systemd, exit code. */
import { randomBytes } from "node:crypto";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../adapters/clock.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { createNotifier, type Notifier } from "../../adapters/systemd/notify.ts";
import { systemdUnits } from "../../adapters/systemd/units.ts";
import { exitCodeOf, exitCodes, RoundtripError } from "../../core/errors.ts";
import { defaultSettings } from "../../core/failback/documents.ts";
import type { Logger } from "../../core/ports.ts";
import { helpOf, parseArguments } from "./arguments.ts";
import type { ServiceContext, ServiceDefinition } from "./definition.ts";
import { readEnvironment } from "./environment.ts";
import { createFailbackLoader } from "./failback.ts";
import { LazyObjectStore, LazySecretVersions, lazySecrets } from "./lazy.ts";
import { createLogger } from "./logger.ts";
import { StatusReporter } from "./status.ts";

export type { OpenFailback, ServiceContext, ServiceDefinition } from "./definition.ts";

/**
 * Runs one verb and ends the process: with the code of what the body threw, `interrupted` when it threw because of
 * a signal, otherwise 0. Systemd is told READY once the configuration is read and signals are handled; what the
 * service then does or waits for stands in its status.
 */
export async function runService(
  definition: ServiceDefinition,
  body: (context: ServiceContext) => Promise<void>,
): Promise<never> {
  const words = wordsAfterVerb(definition.name);
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(helpOf(definition));
    process.exit(exitCodes.ok);
  }
  process.exit(await serve(definition, words, body));
}

async function serve(
  definition: ServiceDefinition,
  words: readonly string[],
  body: (context: ServiceContext) => Promise<void>,
): Promise<number> {
  const run = randomBytes(6).toString("hex");
  const logger = createLogger(definition.name, run, process.env.ROUNDTRIP_LOG_LEVEL, definition.logOutput);
  const notifier = createNotifier(process.env, systemClock.monotonicMs);
  const stop = new AbortController();
  handleSignals(stop, logger, notifier);
  let context: ServiceContext;
  try {
    context = await createContext(definition, words, { run, logger, notifier, signal: stop.signal });
  } catch (error) {
    return report(definition, logger, asFailure(error, stop.signal));
  }
  // A promise nobody awaited is a fault like any other: it ends the run, with the status saying so.
  const stray = new Promise<never>((_, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", reject);
  });
  notifier.ready();
  logger.info({ host: context.host, arguments: context.arguments.positionals }, "started");
  try {
    await Promise.race([body(context), stray]);
    await context.status.end(stop.signal.aborted ? "stopped" : "finished", exitCodes.ok);
    logger.info({}, stop.signal.aborted ? "stopped" : "finished");
    return exitCodes.ok;
  } catch (error) {
    const failure = asFailure(error, stop.signal);
    const code = report(definition, logger, failure);
    await context.status.end(failure.kind === "interrupted" ? "stopped" : "failed", code, failure);
    return code;
  }
}

interface Parts {
  readonly run: string;
  readonly logger: Logger;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
}

async function createContext(
  definition: ServiceDefinition,
  words: readonly string[],
  { run, logger, notifier, signal }: Parts,
): Promise<ServiceContext> {
  const parsed = parseArguments(definition, words);
  const environment = await readEnvironment(process.env.ROUNDTRIP_CONFIG);
  const { bucket, region } = environment;
  const store = new LazyObjectStore(async () => {
    const { createObjectStore } = await import("../../adapters/aws/object-store.ts");
    return createObjectStore({ bucket, region });
  });
  const secrets = lazySecrets(async () => {
    const { createSecrets } = await import("../../adapters/aws/secrets.ts");
    return createSecrets({ region });
  });
  const secretVersions = new LazySecretVersions(async () => {
    const { createSecretVersions } = await import("../../adapters/aws/secret-versions.ts");
    return createSecretVersions({ region });
  });
  const clock = systemClock;
  const host = hostname();
  const stateDirectory =
    process.env.STATE_DIRECTORY ?? join(tmpdir(), `roundtrip-${environment.environment}`);
  const service = definition.name;
  const status = new StatusReporter({ service, host, run, stateDirectory, store, clock, logger, notifier });
  const phaseStore = new PhaseStore(store, clock, environment.environment);
  return {
    name: service,
    arguments: parsed,
    environment,
    settings: { ...defaultSettings, ...environment.settings },
    store,
    secrets,
    secretVersions,
    clock,
    logger,
    phaseStore,
    failback: createFailbackLoader(store, phaseStore, status),
    status,
    units: systemdUnits,
    signal,
    alive: () => notifier.alive(),
    host,
    run,
    stateDirectory,
  };
}

/** `roundtrip-worker <verb> …` and `bun services/<verb>/main.ts …` read the same words. */
function wordsAfterVerb(verb: string): string[] {
  const words = process.argv.slice(2);
  return words[0] === verb ? words.slice(1) : words;
}

/** The first signal asks the body to finish; a second one ends the process where it stands. */
function handleSignals(stop: AbortController, logger: Logger, notifier: Notifier): void {
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(exitCodes.interrupted);
      logger.info({ signal: name }, "stopping: finishing what is in hand");
      notifier.stopping();
      stop.abort(interrupted(name));
    });
  }
}

function interrupted(signal: string): RoundtripError {
  return new RoundtripError({
    kind: "interrupted",
    what: "run to the end",
    expected: "no signal",
    got: signal,
    wayOut: "run it again: it goes on where it stopped",
  });
}

function asFailure(error: unknown, signal: AbortSignal): RoundtripError {
  if (error instanceof RoundtripError) return error;
  // Whatever a library throws when its signal fires is the signal, not a fault.
  if (signal.aborted && (error as Error | undefined)?.name === "AbortError") return signal.reason;
  const full = (error as NodeJS.ErrnoException | undefined)?.code === "ENOSPC";
  return new RoundtripError(
    {
      kind: full ? "disk" : "internal",
      what: full ? "write to the disk" : "run",
      expected: full ? "room on the disk" : "no unforeseen error",
      got: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      wayOut: full
        ? "free space, then start the unit again"
        : "report it with the log; the unit may be started again",
    },
    { cause: error },
  );
}

function report(definition: ServiceDefinition, logger: Logger, failure: RoundtripError): number {
  const { kind, what, expected, got, wayOut, exitCode } = failure;
  logger.error({ kind, exitCode, what, expected, got, wayOut, causes: causesOf(failure) }, failure.message);
  process.stderr.write(`roundtrip-worker ${definition.name}: ${failure.message}\n`);
  return exitCodeOf(failure);
}

const causesMax = 5;

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause = error.cause;
  while (cause instanceof Error && causes.length < causesMax) {
    causes.push(cause instanceof RoundtripError ? cause.message : (cause.stack ?? cause.message));
    cause = cause.cause;
  }
  return causes;
}
