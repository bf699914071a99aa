import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attribute, block, comment, expression, hclText } from "../../core/adopt/hcl.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Infrastructure, InfrastructureChange } from "../../core/ports.ts";
import {
  canBeLookedFor,
  creationsIn,
  importIdOf,
  ownTags,
  refusalsIn,
  unfinishedIn,
  withoutOpenNotes,
} from "../../core/recovery/creations.ts";
import type { ExistingObjects } from "../../core/recovery/ports.ts";
import { importByHand, ObjectsExist, ObjectsMissing } from "./failure.ts";
import type { TerraformInfrastructure } from "./infrastructure.ts";

export interface RecoveryOptions {
  /** The root module's folder: import blocks stand beside it while they are needed. */
  readonly directory: string;
  readonly existing: ExistingObjects;
  readonly onProgress?: (line: string) => void;
}

/** A file of its own in the root module, there only while something is being taken over. */
export const importsFile = "roundtrip-left-behind.tf";
/** Each round takes over what the one before uncovered: objects that hang on objects, six deep in the stack. */
const roundsMax = 12;

/**
 * Terraform that finishes what an earlier one began, also when that one was killed before it saved its state: what exists
 * under the very name and with the tags of this environment is taken over by import blocks instead of being made again.
 * Objects with identifiers of AWS's own are looked for before a plan is given, since AWS would make them twice; for the
 * others AWS's refusal of a second one is the sign. What a plan didn't show is never applied.
 */
export class RecoveringInfrastructure implements Infrastructure, Disposable {
  readonly #terraform: TerraformInfrastructure;
  readonly #options: RecoveryOptions;
  /** What is taken over: import ids by address. */
  readonly #imports = new Map<string, string>();
  /** What isn't there, or isn't this environment's own. */
  readonly #absent = new Set<string>();
  /** What is in the way for certain: AWS refused to make it, or has one with its tags. */
  readonly #certain = new Set<string>();
  readonly #told = new Set<string>();
  #isRecovering = false;
  readonly #removeFile = () => rmSync(join(this.#options.directory, importsFile), { force: true });
  #planned: readonly InfrastructureChange[] = [];

  constructor(terraform: TerraformInfrastructure, options: RecoveryOptions) {
    this.#terraform = terraform;
    this.#options = options;
    process.once("exit", this.#removeFile);
  }

  async plan(signal?: AbortSignal): Promise<readonly InfrastructureChange[]> {
    this.#writeImports();
    this.#planned = await this.#planWhole(signal);
    return this.#planned;
  }

  /** The last plan as `terraform show -json` has it, with every value in clear. */
  get planText(): string {
    return this.#terraform.planText;
  }

  async apply(signal?: AbortSignal): Promise<void> {
    for (let round = 1; ; round++) {
      try {
        await this.#finish();
        await this.#terraform.apply(signal);
        this.#forgetAll();
        return;
      } catch (error) {
        if (!(error instanceof ObjectsExist) || round === roundsMax) throw error;
        const names = this.#names();
        const refused = error.addresses.filter((each) => !this.#imports.has(each));
        for (const address of refused) {
          this.#certain.add(address);
          this.#absent.delete(address);
        }
        this.#isRecovering = true;
        const changes = await this.#planWhole(signal);
        if (!refused.some((each) => this.#imports.has(each))) throw byHand(error, names);
        assertPart(changes, this.#planned);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#removeFile();
    process.removeListener("exit", this.#removeFile);
    this.#terraform[Symbol.dispose]();
  }

  /** Before Terraform writes them down: from then on nobody would look for what is missing of them. */
  async #finish(): Promise<void> {
    if (this.#imports.size === 0) return;
    for (const taken of unfinishedIn(this.#terraform.planText))
      for (const done of await this.#options.existing.finish(taken)) this.#tell(`${taken.address}: ${done}`);
  }

  /** A plan in which nothing is made that is there already, as far as AWS can be asked. */
  async #planWhole(signal?: AbortSignal): Promise<readonly InfrastructureChange[]> {
    for (let round = 1; round <= roundsMax; round++) {
      const changes = await this.#tryPlan(signal);
      if (!changes || (await this.#revise())) continue;
      for (const [address, id] of this.#imports)
        this.#tell(`${address} exists (${id}): taken over from a run that could not write it down`);
      return withoutOpenNotes(this.#terraform.planText, changes);
    }
    throw endless();
  }

  /** Gives whether other objects are to be taken over than the plan says, so that it must be made again. */
  async #revise(): Promise<boolean> {
    const found = await this.#leftBehind();
    for (const [address, id] of found) this.#imports.set(address, id);
    const strangers = refusalsIn(this.#terraform.planText);
    const certain = strangers.filter(({ address }) => this.#certain.has(address));
    if (certain.length > 0) throw notOurs(certain.map(({ words }) => words));
    // Of the same name and not known to be in the way: AWS refuses it when it is.
    for (const { address } of strangers) this.#leaveOut(address);
    if (found.size + strangers.length === 0) return false;
    this.#writeImports();
    return true;
  }

  /** Nothing where an object that was to be taken over isn't there: it is made, then. */
  async #tryPlan(signal?: AbortSignal): Promise<readonly InfrastructureChange[] | undefined> {
    try {
      return await this.#terraform.plan(signal);
    } catch (error) {
      if (!(error instanceof ObjectsMissing) || !error.addresses.some((each) => this.#imports.has(each)))
        throw error;
      for (const address of error.addresses) this.#leaveOut(address);
      this.#writeImports();
      return undefined;
    }
  }

  /**
   * Of what the plan makes: objects of the types that AWS is asked for. Once something was found there, or AWS refused to
   * make something, also every object that is imported by its name: whether it exists, the next plan says.
   */
  async #leftBehind(): Promise<Map<string, string>> {
    const open = creationsIn(this.#terraform.planText).filter(
      ({ address, tags }) =>
        !this.#imports.has(address) && !this.#absent.has(address) && ownTags.every((name) => tags[name]),
    );
    const found = new Map<string, string>();
    for (const creation of open.filter(canBeLookedFor)) {
      const ids = await this.#options.existing.find(creation);
      if (ids.length > 1) throw madeTwice(creation.address, ids);
      const isNamed = importIdOf(creation) !== undefined;
      if (ids[0] === undefined && isNamed) this.#absent.add(creation.address);
      if (ids[0] === undefined) continue;
      found.set(creation.address, ids[0]);
      // Known by its tags: not to take it over would make it twice.
      if (!isNamed) this.#certain.add(creation.address);
    }
    this.#isRecovering ||= found.size > 0;
    for (const creation of this.#isRecovering ? open : []) {
      const id = importIdOf(creation);
      if (id !== undefined && !this.#absent.has(creation.address)) found.set(creation.address, id);
    }
    return found;
  }

  /** What the objects the plan creates are imported by, where their name says it. */
  #names(): Map<string, string> {
    const creations = creationsIn(this.#terraform.planText);
    return new Map(
      creations.flatMap((creation) => {
        const id = importIdOf(creation);
        return id === undefined ? [] : [[creation.address, id] as const];
      }),
    );
  }

  #leaveOut(address: string): void {
    this.#imports.delete(address);
    this.#absent.add(address);
  }

  #forgetAll(): void {
    this.#imports.clear();
    this.#absent.clear();
    this.#certain.clear();
    this.#isRecovering = false;
    this.#removeFile();
  }

  /** Once: an apply plans more than once. */
  #tell(line: string): void {
    if (!this.#told.has(line)) this.#options.onProgress?.(line);
    this.#told.add(line);
  }

  #writeImports(): void {
    if (this.#imports.size === 0) {
      this.#removeFile();
      return;
    }
    const blocks = [...this.#imports].map(([address, id]) =>
      block("import", [], attribute("to", expression(address)), attribute("id", id)),
    );
    const text = hclText([comment("Written and removed by roundtrip apply. May be deleted."), ...blocks]);
    writeFileSync(join(this.#options.directory, importsFile), text);
  }
}

/** What was checked may become less on the way, or an update of what was to be made, and nothing else. */
function assertPart(
  changes: readonly InfrastructureChange[],
  planned: readonly InfrastructureChange[],
): void {
  const before = new Map(planned.map(({ address, action }) => [address, action]));
  const beyond = changes.filter(({ address, action }) => {
    const known = before.get(address);
    return known !== action && !(known === "create" && action === "update");
  });
  if (beyond.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: "plan again with Terraform, with what exists taken over",
    expected: "a part of the plan that was checked",
    got: beyond.map(({ action, address }) => `${action} ${address}`).join("; "),
    wayOut: "run this again: the whole plan is checked anew, and what was done is done",
  });
}

/** Without the environment's tags nothing tells its own objects from others': a person decides, with the commands at hand. */
function byHand(error: ObjectsExist, names: ReadonlyMap<string, string>): ObjectsExist {
  const { kind, what, expected, got, addresses } = error;
  const wayOut = importByHand(addresses, names);
  return new ObjectsExist({ kind, what, expected, got, wayOut }, addresses);
}

function notOurs(refusals: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "take over what exists in AWS and Terraform's state doesn't have",
    expected: "objects that an earlier run made here, with this environment's tags",
    got: refusals.join("; "),
    wayOut:
      "give the object of this environment another name; or, where it is this environment's own after all, set its tags and run this again",
  });
}

function endless(): RoundtripError {
  return new RoundtripError({
    kind: "unknown",
    what: "plan with Terraform, with what exists taken over",
    expected: `a plan after ${roundsMax} rounds at most`,
    got: "ever more that exists, or doesn't",
    wayOut: "run this again; if it says so again, import by hand what is left (terraform import)",
  });
}

function madeTwice(address: string, ids: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `take over ${address}`,
    expected: "one object with its tags",
    got: ids.join(", "),
    wayOut: "see which of them is in use, delete the others, and run this again",
  });
}
