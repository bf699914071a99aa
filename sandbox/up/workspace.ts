import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { processInfo } from "../host/processes.ts";

const prefix = "roundtrip-sandbox";

/** The folder the stand-ins keep their state in: the one named, which stays, or a temporary one, which goes. */
export class Workspace implements Disposable {
  readonly dir: string;
  readonly #isTemporary: boolean;

  constructor(dir?: string) {
    this.#isTemporary = dir === undefined;
    if (dir === undefined) {
      removeAbandoned();
      const owner = `${process.pid}-${processInfo(process.pid)?.startTicks ?? 0}`;
      this.dir = mkdtempSync(join(tmpdir(), `${prefix}-${owner}-`));
    } else {
      this.dir = resolve(dir);
      mkdirSync(this.dir, { recursive: true });
    }
  }

  at(...parts: readonly string[]): string {
    return join(this.dir, ...parts);
  }

  [Symbol.dispose](): void {
    if (this.#isTemporary) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Temporary folders whose owner was killed: the next start takes them away. */
function removeAbandoned(): void {
  for (const entry of readdirSync(tmpdir())) {
    const match = new RegExp(`^${prefix}-(\\d+)-(\\d+)-`).exec(entry);
    if (!match || processInfo(Number(match[1]))?.startTicks === match[2]) continue;
    rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
}
