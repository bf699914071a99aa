import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Invocation {
  readonly functionName: string;
  readonly arn: string;
  readonly handler: string;
  readonly root: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly event: string;
  readonly requestId: string;
  /** Ends it at once: the stand-in stops. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly payload: string;
  /** "Unhandled" where the handler failed, as in X-Amz-Function-Error. */
  readonly error: string | undefined;
  readonly log: string;
}

interface Result {
  readonly value?: unknown;
  readonly error?: object;
}

function contextOf(invocation: Invocation): string {
  return JSON.stringify({
    functionName: invocation.functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: invocation.arn,
    memoryLimitInMB: String(invocation.memoryMegabytes),
    awsRequestId: invocation.requestId,
    logGroupName: `/aws/lambda/${invocation.functionName}`,
    logStreamName: "sandbox",
    callbackWaitsForEmptyEventLoop: true,
    deadline: Date.now() + invocation.timeoutSeconds * 1000,
  });
}

function failure(errorType: string, errorMessage: string, log: string): Outcome {
  return { payload: JSON.stringify({ errorType, errorMessage }), error: "Unhandled", log };
}

/** Runs a handler in a Node process of its own, with only the function's environment, and ends it at its timeout. */
export async function invoke(invocation: Invocation): Promise<Outcome> {
  const work = mkdtempSync(join(tmpdir(), "lambda-"));
  const resultFile = join(work, "result.json");
  const node = Bun.which("node") ?? process.execPath;
  const child = Bun.spawn(
    [
      node,
      join(import.meta.dirname, "bootstrap.mjs"),
      invocation.root,
      invocation.handler,
      contextOf(invocation),
    ],
    {
      cwd: invocation.root,
      env: { ...invocation.variables, PATH: process.env.PATH ?? "", SANDBOX_RESULT: resultFile },
      stdin: new Blob([invocation.event]),
      stdout: "pipe",
      stderr: "pipe",
      killSignal: "SIGKILL",
      ...(invocation.signal ? { signal: invocation.signal } : {}),
    },
  );
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, invocation.timeoutSeconds * 1000);
  try {
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    const log = `START RequestId: ${invocation.requestId}\n${out}${err}END RequestId: ${invocation.requestId}\n`;
    if (timedOut) {
      return failure(
        "Sandbox.Timedout",
        `RequestId: ${invocation.requestId} Error: Task timed out after ${invocation.timeoutSeconds.toFixed(2)} seconds`,
        log,
      );
    }
    if (!existsSync(resultFile)) {
      return failure(
        "Runtime.ExitError",
        `RequestId: ${invocation.requestId} Error: Runtime exited with error: exit status ${code}`,
        log,
      );
    }
    const result = JSON.parse(readFileSync(resultFile, "utf8")) as Result;
    return result.error === undefined
      ? { payload: JSON.stringify(result.value), error: undefined, log }
      : { payload: JSON.stringify(result.error), error: "Unhandled", log };
  } finally {
    clearTimeout(timer);
    rmSync(work, { recursive: true, force: true });
  }
}
