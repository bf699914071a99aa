import { parseArgs } from "node:util";
import { type Part, parts, Sandbox } from "./up/sandbox.ts";

const help = `Usage: bun run sandbox up [--only ${parts.join(",")}] [--dir DIR] [--json]

Starts the stand-ins (MongoDB, DocumentDB, AWS, a host) on 127.0.0.1 and stays in the foreground until Ctrl-C.
The first line on standard output is JSON: {"mongodb":"<uri>","documentdb":"<uri>","aws":"<url>","host":"<dir>"}.

  --only LIST   start these only; documentdb brings its own database along
  --dir DIR     keep the state there (else a temporary folder, removed at the end)
  --json        say nothing on standard error unless something goes wrong

Exit: 0 ended by SIGTERM or SIGINT, 1 a stand-in could not start, 64 wrong use.`;

function wrongUse(message: string): never {
  console.error(`sandbox: ${message}\n\n${help}`);
  process.exit(64);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: "string" },
        dir: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (cause) {
    return wrongUse((cause as Error).message);
  }
}

function parseOnly(text: string | undefined): Part[] | undefined {
  const names = text?.split(",").map((name) => name.trim());
  const unknown = names?.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined)
    wrongUse(`--only: expected some of ${parts.join(", ")}, got ${JSON.stringify(unknown)}`);
  return names as Part[] | undefined;
}

const { values, positionals } = parse();
if (values.help) {
  console.log(help);
  process.exit(0);
}
if (positionals.length !== 1 || positionals[0] !== "up")
  wrongUse(`expected the command "up", got ${JSON.stringify(positionals.join(" "))}`);
const only = parseOnly(values.only);
const say = (message: string): void => {
  if (!values.json) console.error(`sandbox: ${message}`);
};

const starting = Sandbox.start({ only, dir: values.dir, onProgress: say });
let signals = 0;
async function end(): Promise<void> {
  signals += 1;
  if (signals > 1) {
    (await starting).killAll();
    process.exit(1);
  }
  say("ending");
  try {
    await (await starting)[Symbol.asyncDispose]();
    process.exit(0);
  } catch (error) {
    console.error(`sandbox: ${(error as Error).message}`);
    process.exit(1);
  }
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end());

try {
  const sandbox = await starting;
  for (const standIn of sandbox.standIns)
    standIn.onUnexpectedEnd((message) => console.error(`sandbox: ${message}`));
  console.log(JSON.stringify(sandbox.addresses));
  say(`state in ${sandbox.workspace.dir}; Ctrl-C ends it`);
} catch (error) {
  console.error(`sandbox: ${(error as Error).message}`);
  process.exit(1);
}
