import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configurationText, connectionString } from "./configuration.ts";
import { dumpArchive, mongodumpVersion } from "./mongodump.ts";

const folder = mkdtempSync(join(tmpdir(), "roundtrip-mongodump-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program in mongodump's place. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function dump(executable: string, signal = new AbortController().signal) {
  const namespaces: Record<string, number> = {};
  let bytes = 0;
  const archive = dumpArchive({
    executable,
    configurationPath: "/nowhere.yaml",
    what: "dump mongodb with secret mongodb-secret",
    signal,
    onNamespace: (namespace, documents) => {
      namespaces[namespace] = documents;
    },
  });
  for await (const chunk of archive) bytes += chunk.length;
  return { bytes, namespaces };
}

describe("mongodump as a stream", () => {
  test("gives the archive and the documents of each collection", async () => {
    const good = program(
      "good",
      'head -c 300000 /dev/zero; echo "2026-11-21T00:00:00.000+0000\tdone dumping shop.orders (12 documents)" >&2; echo "x done dumping shop.one (1 document)" >&2',
    );
    expect(await dump(good)).toEqual({ bytes: 300_000, namespaces: { "shop.orders": 12, "shop.one": 1 } });
  });

  test("the connection string is in no argument", async () => {
    const shows = program("shows", 'echo "$@"');
    const archive = dumpArchive({
      executable: shows,
      configurationPath: "/run/dump.yaml",
      what: "",
      signal: new AbortController().signal,
      onNamespace: () => {},
    });
    let said = "";
    for await (const chunk of archive) said += new TextDecoder().decode(chunk);
    expect(said).toBe("--archive --config /run/dump.yaml\n");
  });

  test("an end with another code than 0 fails, after the bytes, without the address", async () => {
    const bad = program(
      "bad",
      'echo data; echo "Failed: error connecting to mongodb://user:secret@host:1/: no reachable servers" >&2; exit 1',
    );
    const error = await dump(bad).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: "unavailable" });
    expect((error as Error).message).toContain("mongodb://host:1/");
    expect((error as Error).message).not.toContain("secret@");
  });

  test("refused credentials are told from a server that is away", async () => {
    const denied = program(
      "denied",
      'echo "Failed: can\'t create session: auth error: sasl conversation error" >&2; exit 1',
    );
    await expect(dump(denied)).rejects.toMatchObject({ kind: "denied" });
  });

  test("a program that is not there is a configuration failure naming it", async () => {
    await expect(dump(join(folder, "absent"))).rejects.toMatchObject({ kind: "configuration" });
    await expect(mongodumpVersion(join(folder, "absent"))).rejects.toMatchObject({ kind: "configuration" });
  });

  test("a signal ends the process", async () => {
    const endless = program("endless", "exec sleep 60");
    const stop = new AbortController();
    const running = dump(endless, stop.signal);
    setTimeout(() => stop.abort(new Error("SIGTERM")), 50);
    await expect(running).rejects.toThrow("SIGTERM");
  });

  test("a consumer that stops early ends the process", async () => {
    const endless = program("writes", "echo $$ >&2; exec yes");
    const archive = dumpArchive({
      executable: endless,
      configurationPath: "/nowhere.yaml",
      what: "",
      signal: new AbortController().signal,
      onNamespace: () => {},
    });
    await archive.next();
    const ended = await Promise.race([
      archive.return(undefined),
      Bun.sleep(5000).then(() => "still running"),
    ]);
    expect(ended).toEqual({ done: true, value: undefined });
  });
});

describe("mongodump's configuration", () => {
  test("the option it would misread as seconds is left out", () => {
    const uri = "mongodb://u:p@h:1/?replicaSet=rs0&serverSelectionTimeoutMS=800&tls=true";
    expect(connectionString({ uri }, "s")).toBe("mongodb://u:p@h:1/?replicaSet=rs0&tls=true");
    expect(connectionString({ uri: "mongodb://h/?serverSelectionTimeoutMS=5" }, "s")).toBe("mongodb://h/");
  });

  test("a database in the address, which would be the only one dumped, is where the user is looked up and no more", () => {
    const of = (uri: string) => connectionString({ uri }, "s");
    expect(of("mongodb://u:p@h:1,i:2/shop")).toBe("mongodb://u:p@h:1,i:2/?authSource=shop");
    expect(of("mongodb+srv://u:p@h/admin?tls=true")).toBe("mongodb+srv://u:p@h/?tls=true&authSource=admin");
    expect(of("mongodb://u:p@h/shop?authSource=admin")).toBe("mongodb://u:p@h/?authSource=admin");
    for (const uri of ["mongodb://u:p@h", "mongodb://u:p%2Fq@h/", "mongodb://u:p@h/?tls=true"])
      expect(of(uri)).toBe(uri);
  });

  test("fields become a connection string, whatever the password holds", () => {
    const secret = {
      host: "a,b:2",
      port: "1",
      username: "user",
      password: "p@ss/word?",
      replicaSet: "rs0",
      caFile: "/ca.pem",
    };
    expect(connectionString(secret, "s")).toBe(
      "mongodb://user:p%40ss%2Fword%3F@a:1,b:2/?authSource=admin&replicaSet=rs0&tls=true&tlsCAFile=%2Fca.pem",
    );
  });

  test("a secret that lacks a field is named, without its values", () => {
    const error = () => connectionString({ host: "h", password: "hidden" }, "mongodb-secret");
    expect(error).toThrow("mongodb-secret");
    expect(error).not.toThrow("hidden");
  });

  test("the file's text is one quoted line", () => {
    expect(configurationText('mongodb://u:p"\n@h/')).toBe('uri: "mongodb://u:p\\"\\n@h/"\n');
  });
});
