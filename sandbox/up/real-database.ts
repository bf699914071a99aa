/** A real `mongod` behind the same command line and ready line as the database stand-in, so that it can take its place. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Db, MongoClient } from "mongodb";

const { values } = parseArgs({
  strict: false,
  options: {
    mongod: { type: "string" },
    dir: { type: "string" },
    port: { type: "string" },
    set: { type: "string" },
    "admin-password-file": { type: "string" },
    "exit-with-parent": { type: "boolean" },
  },
});
const mongod = String(values.mongod);
const dir = String(values.dir);
const setName = typeof values.set === "string" ? values.set : "rs0";
const password = readFileSync(String(values["admin-password-file"]), "utf8").trim();
const user = "root";
const readyMs = 25_000;

/** The port of the last start, so that addresses outlive a restart; else any free one. */
async function choosePort(): Promise<number> {
  const file = join(dir, "port");
  if (existsSync(file)) return Number(readFileSync(file, "utf8"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  writeFileSync(file, String(port));
  return port;
}

function keyFile(): string {
  const file = join(dir, "keyfile");
  if (!existsSync(file)) writeFileSync(file, randomBytes(96).toString("base64"), { mode: 0o400 });
  return file;
}

/** Runs `use` on a direct connection; undefined when the server doesn't answer or refuses. */
async function attempt<T>(uri: string, use: (admin: Db) => Promise<T>): Promise<T | undefined> {
  const client = new MongoClient(uri, { directConnection: true, serverSelectionTimeoutMS: 1000 });
  try {
    return await use(client.db("admin"));
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

/** Makes the set and its first user through the localhost exception, unless an earlier start did. */
async function becomeReady(open: string, login: string, port: number): Promise<void> {
  const until = Date.now() + readyMs;
  while (Date.now() < until) {
    const isPrimary = await attempt(login, async (admin) => {
      await admin.command({ connectionStatus: 1 });
      return (await admin.command({ hello: 1 })).isWritablePrimary === true;
    });
    if (isPrimary) return;
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    await attempt(open, (admin) => admin.command({ replSetInitiate: { _id: setName, members } }));
    await attempt(open, (admin) => admin.command({ createUser: user, pwd: password, roles: ["root"] }));
    await Bun.sleep(100);
  }
  throw new Error(
    `${mongod} was not primary with a root user within ${readyMs} ms; see ${join(dir, "mongod.log")}`,
  );
}

mkdirSync(join(dir, "data"), { recursive: true });
const port = await choosePort();
// A kill -9 of this process must be one of the server, too: the kernel passes it on.
const server = Bun.spawn(
  [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "--",
    mongod,
    "--dbpath",
    join(dir, "data"),
    "--port",
    String(port),
    "--bind_ip",
    "127.0.0.1",
    "--replSet",
    setName,
    "--auth",
    "--keyFile",
    keyFile(),
    "--logpath",
    join(dir, "mongod.log"),
    "--logappend",
    "--setParameter",
    "enableTestCommands=1",
    "--setParameter",
    "ttlMonitorSleepSecs=5",
  ],
  { stdin: "ignore", stdout: "inherit", stderr: "inherit" },
);
async function end(): Promise<void> {
  server.kill("SIGTERM");
  await server.exited;
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end());
if (values["exit-with-parent"]) {
  process.stdin.on("end", () => void end());
  process.stdin.resume();
}
void server.exited.then((code) => {
  console.error(`${mongod} ended with ${server.signalCode ?? code}; see ${join(dir, "mongod.log")}`);
  process.exit(1);
});

const address = `127.0.0.1:${port}/?replicaSet=${setName}&authSource=admin`;
const login = `mongodb://${user}:${encodeURIComponent(password)}@${address}`;
try {
  await becomeReady(`mongodb://${address}`, login, port);
} catch (error) {
  console.error((error as Error).message);
  server.kill("SIGKILL");
  process.exit(1);
}
console.log(JSON.stringify({ ready: true, uri: login, ports: [port], pid: process.pid }));
