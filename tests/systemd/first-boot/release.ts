import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Artifact {
  readonly key: string;
  readonly sha256: string;
  readonly content: Uint8Array;
}

export function artifact(key: string, content: Uint8Array | string): Artifact {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { key, sha256: createHash("sha256").update(bytes).digest("hex"), content: bytes };
}

/** What Terraform is given of artifacts: where each lies, and what it is. */
export function namesOf(
  artifacts: Readonly<Record<string, Artifact>>,
): Record<string, { key: string; sha256: string }> {
  return Object.fromEntries(
    Object.entries(artifacts).map(([name, { key, sha256 }]) => [name, { key, sha256 }]),
  );
}

/** A worker of some version; it does nothing but say so. */
export function plainWorker(version: string): Artifact {
  return artifact(`${version}/roundtrip-worker`, `#!/bin/sh\necho "roundtrip-worker ${version} (test)"\n`);
}

function packed(build: (folder: string) => readonly string[], result: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "roundtrip-release-"));
  try {
    const command = build(folder);
    const ran = Bun.spawnSync([...command], { cwd: folder, stdout: "pipe", stderr: "pipe" });
    if (ran.exitCode !== 0) throw new Error(`${command.join(" ")}: ${ran.stderr.toString()}`);
    return readFileSync(join(folder, result));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function program(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** An archive laid out as MongoDB's own: a folder named after the release, the programs in its bin. */
export function databaseTools(programs = ["mongodump", "mongorestore", "bsondump"]): Artifact {
  const top = "mongodb-database-tools-amazon2023-x86_64-100.9.5";
  const content = packed((folder) => {
    for (const name of programs) program(join(folder, top, "bin", name), `echo "${name} version: 100.9.5"`);
    return ["tar", "-czf", "tools.tgz", top];
  }, "tools.tgz");
  return artifact(`database-tools-100.9.5-${programs.length}.tgz`, content);
}

/** A Debian package with the agent's control program, which keeps what it was called with. */
export function cloudwatchAgent(): Artifact {
  const content = packed((folder) => {
    const path = "package/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl";
    program(join(folder, path), 'echo "$@" >>/var/log/agent-called');
    mkdirSync(join(folder, "package/DEBIAN"));
    const control = {
      Package: "amazon-cloudwatch-agent",
      Version: "1",
      Architecture: "all",
      Maintainer: "nobody",
      Description: "plays the agent",
    };
    const lines = Object.entries(control).map(([name, value]) => `${name}: ${value}`);
    writeFileSync(join(folder, "package/DEBIAN/control"), `${lines.join("\n")}\n`);
    return ["dpkg-deb", "--build", "--root-owner-group", "package", "agent.deb"];
  }, "agent.deb");
  return artifact("amazon-cloudwatch-agent.deb", content);
}

/** An archive of programs by their paths in it; each a shell script. */
export function archive(key: string, programs: Readonly<Record<string, string>>): Artifact {
  const content = packed((folder) => {
    for (const [path, text] of Object.entries(programs)) program(join(folder, "top", path), text);
    return ["tar", "-czf", "archive.tgz", "top"];
  }, "archive.tgz");
  return artifact(key, content);
}
