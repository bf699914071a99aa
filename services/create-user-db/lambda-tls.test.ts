/** The CA file of the archive decides whom create-user-db trusts: a TLS end in front of the DocumentDB stand-in. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { buildArchive, LambdaWorld } from "../../tests/support/lambda-world.ts";

const request = { version: 1, environment: "dev", databases: [{ name: "shop", collections: ["orders"] }] };
let world: LambdaWorld;
let server: Server;
const sockets = new Set<Socket>();

/** A certificate for localhost that is its own authority. */
function certificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(world.folder, `${name}.pem`), join(world.folder, `${name}.key`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  execFileSync("openssl", [...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}

/** Certificates are made with openssl; a machine without it can't show this. */
describe.skipIf(!Bun.which("openssl") && !process.env.REQUIRE_ALL)("TLS", () => {
  beforeAll(async () => {
    world = await LambdaWorld.start();
    await world.reset({ username: "dms", password: "planted-first-4711" });
    const [trusted, other] = [certificate("trusted"), certificate("other")];
    const [, upstream = ""] = /:(\d+)[/,]/.exec(world.uri.slice(world.uri.indexOf("@"))) ?? [];
    server = createServer({ cert: readFileSync(trusted.cert), key: readFileSync(trusted.key) }, (client) => {
      const behind = connect(Number(upstream), "127.0.0.1");
      for (const socket of [client, behind]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          client.destroy();
          behind.destroy();
        });
      }
      client.pipe(behind).pipe(client);
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const login = world.uri.slice(0, world.uri.indexOf("@") + 1);
    const uri = `${login}localhost:${port}/?tls=true&directConnection=true&authSource=admin&serverSelectionTimeoutMS=3000`;
    await world.putSecret("master-tls", { uri });
    for (const [name, { cert }] of Object.entries({ trusted, other })) {
      const archive = join(world.folder, `${name}.zip`);
      buildArchive(archive, cert);
      await world.createFunction(name, { ROUNDTRIP_MASTER_SECRET: "master-tls" }, archive);
    }
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    await world?.[Symbol.asyncDispose]();
  });

  test("a cluster whose certificate the archive's CA file vouches for is spoken to over TLS", async () => {
    const { answer, error } = await world.tell("trusted", request);
    expect(error).toBeUndefined();
    expect(answer?.created.map(({ name }) => name)).toEqual(["dms", "shop", "shop.orders"]);
    expect(await world.standing("shop")).toEqual(["orders"]);
  }, 30_000);

  test("one it doesn't vouch for is refused before a password is sent", async () => {
    const { error } = await world.tell("other", request);
    expect(error).toContain("certificate");
    expect(error).toContain("DocumentDB at localhost:");
  }, 30_000);
});
