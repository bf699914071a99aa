// Runs one invocation in a process of its own: event from stdin, result to the file named in SANDBOX_RESULT.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// A function doesn't outlive the stand-in.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(1), 250).unref();

const [root, handlerName, contextJson] = process.argv.slice(2);
const resultFile = process.env.SANDBOX_RESULT;
delete process.env.SANDBOX_RESULT;

function finish(result) {
  writeFileSync(resultFile, JSON.stringify(result));
  process.exit(0);
}

function fail(error, type = error?.name) {
  console.error(error);
  finish({
    error: {
      errorType: type ?? "Error",
      errorMessage: error?.message ?? String(error),
      trace: String(error?.stack ?? "").split("\n"),
    },
  });
}

async function load() {
  const dot = handlerName.lastIndexOf(".");
  const [module, name] = [handlerName.slice(0, dot), handlerName.slice(dot + 1)];
  const file = [".mjs", ".js", ".cjs"].map((extension) => join(root, module + extension)).find(existsSync);
  if (file === undefined) return fail(new Error(`Error: Cannot find module '${module}'`), "Runtime.ImportModuleError");
  let loaded;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    return fail(error, "Runtime.ImportModuleError");
  }
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler === "function") return handler;
  return fail(new Error(`${handlerName} is undefined or not exported`), "Runtime.HandlerNotFound");
}

process.on("uncaughtException", (error) => fail(error));
process.on("unhandledRejection", (error) => fail(error));

const handler = await load();
const event = JSON.parse(readFileSync(0, "utf8"));
const context = JSON.parse(contextJson);
const { deadline } = context;
delete context.deadline;
context.getRemainingTimeInMillis = () => deadline - Date.now();
try {
  const value = await new Promise((resolve, reject) => {
    const returned = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
    // A handler with three parameters answers through its callback.
    if (handler.length < 3 || typeof returned?.then === "function") resolve(returned);
  });
  finish({ value: value ?? null });
} catch (error) {
  fail(error);
}
