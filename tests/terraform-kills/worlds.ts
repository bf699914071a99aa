/** What kill -9 of Terraform can leave of an apply: one recorded apply has every such world in it. */
import { Database } from "bun:sqlite";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Subject } from "../../sandbox/aws/faults.ts";
import { fingerprint } from "./content.ts";
import { KilledStack } from "./stack.ts";

/** AWS with Terraform's state in it, as it stands at the moments of its list, first one first. */
export interface World {
  readonly dir: string;
  readonly moments: string[];
}

export interface Recording {
  readonly worlds: readonly World[];
  /** What an apply that nobody disturbs ends in. */
  readonly content: readonly string[];
  readonly requests: readonly Request[];
}

/** A request by what it asks for: AWS's random parts left out, so that it is found again in another apply. */
export interface Request {
  readonly service: string;
  readonly operation: string;
  /** For keys, as an expression. */
  readonly keyPattern: string;
  /** The how manieth of those with the same name. */
  readonly nth: number;
  readonly name: string;
}

const random =
  /\b(?<=sg-|sgr-|vpce-|i-|vol-)[0-9a-f]{17}\b|\b[A-Z2-7]{26}\b|(?<=:secret:[\w/+=.@-]+-)[A-Za-z0-9]{6}\b|\b[0-9a-f]{16}\b/g;

function requestOf({ service, operation, key }: Subject, counts: Map<string, number>): Request {
  const parts = key.split(random);
  const name = `${service} ${operation} ${parts.join("…")}`.trim();
  const nth = (counts.get(name) ?? 0) + 1;
  counts.set(name, nth);
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const keyPattern = `^${escaped.join("[0-9A-Za-z]+")}$`;
  return { service, operation, keyPattern, nth, name: nth === 1 ? name : `${name} #${nth}` };
}

/**
 * Applies the stack once, undisturbed, and keeps every world that stands before or after any of its requests. What dies with
 * Terraform is its memory alone: what it leaves is what AWS has by then, the saved state among it. So moments with the
 * same world are one point of death, and running each world on is running each moment on. (Its lock is left out: it's
 * freed before the next run, whose ever it was.)
 * @param slowMs how late AWS's answers come; from about 100 requests times this above 20 s, Terraform saves on the way
 */
export async function record(folder: string, slowMs = 0): Promise<Recording> {
  const worlds = new Map<string, World>();
  const counts = { before: new Map<string, number>(), after: new Map<string, number>() };
  let kept: string | undefined;
  const requests: Request[] = [];
  await using stack = await KilledStack.start({
    observe(when, subject) {
      if (kept === undefined) return;
      const request = requestOf(subject, counts[when]);
      if (when === "before") requests.push(request);
      const moment = `${when} ${request.name}`;
      const mark = fingerprint(kept);
      const known = worlds.get(mark);
      if (known) known.moments.push(moment);
      else worlds.set(mark, { dir: keep(kept, join(folder, String(worlds.size + 1))), moments: [moment] });
    },
  });
  if (slowMs > 0) await stack.slowDown(slowMs);
  kept = stack.kept;
  const { code, said } = await stack.apply();
  kept = undefined;
  if (code !== 0) throw new Error(`the undisturbed apply failed: ${said.slice(-2000)}`);
  return { worlds: [...worlds.values()], content: stack.content(), requests };
}

/** A copy of everything but the port; empty folders are made anew by who needs them. */
function keep(from: string, to: string): string {
  mkdirSync(to, { recursive: true });
  using aws = new Database(join(from, "aws.sqlite"));
  aws.run("VACUUM INTO ?", [join(to, "aws.sqlite")]);
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !path.includes("/")) continue;
    mkdirSync(dirname(join(to, path)), { recursive: true });
    copyFileSync(join(from, path), join(to, path));
  }
  return to;
}
