import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "../..");
const json = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));
const packages: Readonly<Record<string, Locked>> = json("package-lock.json").packages;

test("every package another one may need is locked, for every platform: `npm ci` refuses a lock with a hole", () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) =>
          !packages[`${path}/node_modules/${name}`]?.version && !packages[`node_modules/${name}`]?.version,
      )
      .map((name) => `${name} of ${path}`),
  );
  expect(missing).toEqual([]);
});

test("the lock is package.json's, and names no registry", () => {
  const { dependencies, devDependencies } = json("package.json");
  expect(packages[""]).toMatchObject({ dependencies, devDependencies });
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});
