import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { sha256Of } from "../../core/sha256.ts";
import { run } from "../setup/run.ts";

const root = join(import.meta.dirname, "../..");

interface Component {
  readonly "bom-ref": string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * What the programs are made of, by package-lock.json without what only development needs: CycloneDX 1.5 by npm, without the
 * clock and the random number npm puts in, so that the same lock gives the same bytes. Not npm's `--omit=dev`: it leaves out
 * what both need (npm 11.19 drops `yaml`).
 */
export async function billOfMaterials(): Promise<string> {
  const ran = await run("npm", ["sbom", "--sbom-format=cyclonedx", "--package-lock-only"], { cwd: root });
  const whole = ran.code === 0 ? (JSON.parse(ran.stdout) as Bom) : undefined;
  if (!whole || whole.components.length === 0)
    throw new RoundtripError({
      kind: "configuration",
      what: "write the bill of materials",
      expected: "components, by npm sbom",
      got: whole ? "none" : ran.stderr.trim().slice(0, 1000),
      wayOut: "use npm 10 or newer",
    });
  const components = whole.components.filter((component) => !isForDevelopment(component));
  const { component } = whole.metadata;
  const kept = new Set([component, ...components].map((each) => each["bom-ref"]));
  const dependencies = whole.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) }));
  const { serialNumber: _random, ...rest } = whole as Bom & { serialNumber?: string };
  const bom = { ...rest, metadata: { component }, components, dependencies };
  const hex = sha256Of(JSON.stringify(bom));
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return `${JSON.stringify({ ...bom, serialNumber: `urn:uuid:${uuid}` }, undefined, 2)}\n`;
}

function isForDevelopment({ properties = [] }: Component): boolean {
  return properties.some(({ name, value }) => name === "cdx:npm:package:development" && value === "true");
}
