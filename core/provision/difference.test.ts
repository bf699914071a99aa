import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { difference } from "./difference.ts";
import type { Declared } from "./model.ts";
import { applyStep, liveOf, type ModelCluster } from "./testing.ts";
import { replicationRoles } from "./users.ts";

const databaseName = fc.constantFrom("shop", "billing", "Archive");
const collectionName = fc.constantFrom("a", "b", "c", "d_e", "f.g");

const databases = fc.uniqueArray(
  fc.record({
    name: databaseName,
    collections: fc
      .uniqueArray(
        fc.record({ name: collectionName, renamedFrom: fc.option(collectionName, { nil: undefined }) }),
        {
          selector: ({ name }) => name,
          minLength: 1,
        },
      )
      .map((all) => {
        // As tasks.yaml's own rules have it: an old name is gone, and taken once.
        const names = new Set(all.map(({ name }) => name));
        const taken = new Set<string>();
        return all.map(({ name, renamedFrom }) => {
          if (renamedFrom === undefined || names.has(renamedFrom) || taken.has(renamedFrom)) return { name };
          taken.add(renamedFrom);
          return { name, renamedFrom };
        });
      }),
  }),
  { selector: ({ name }) => name },
);

const roles = fc.constantFrom(replicationRoles([{ name: "shop" }]), [{ role: "root", db: "admin" }], []);

const declared: fc.Arbitrary<Declared> = fc.record(
  {
    environment: fc.constantFrom("dev", "qa", "prod", "drill"),
    databases,
    previous: databases.map((all) =>
      all.map(({ name, collections }) => ({ name, collections: collections.map((each) => each.name) })),
    ),
    user: fc.record({
      name: fc.constant("dms"),
      want: fc.constantFrom("present" as const, "removed" as const),
    }),
    retiredUsers: fc.subarray(["dms-old", "dms-older"]),
  },
  { requiredKeys: ["environment", "databases", "user", "retiredUsers"] },
);

const cluster: fc.Arbitrary<ModelCluster> = fc
  .record({
    databases: fc.dictionary(databaseName, fc.uniqueArray(collectionName, { minLength: 1 })),
    users: fc.dictionary(fc.constantFrom("dms", "dms-old", "application"), roles),
    passwordAccepted: fc.boolean(),
  })
  .map(({ databases: all, users, passwordAccepted }) => {
    let mark = 0;
    return {
      databases: new Map(
        Object.entries(all).map(([name, names]) => [name, new Map(names.map((each) => [each, mark++]))]),
      ),
      users: new Map(Object.entries(users)),
      passwordAccepted: passwordAccepted && "dms" in users,
    };
  });

/** The difference and the cluster after it; nothing where the rename can't be decided. */
function settle(wanted: Declared, before: ModelCluster) {
  try {
    const found = difference(wanted, liveOf(before));
    return { found, after: found.steps.reduce((now, step) => applyStep(now, step, wanted), before) };
  } catch (error) {
    expect((error as Error).message).toContain("got both");
    return undefined;
  }
}

const property = (check: (wanted: Declared, before: ModelCluster) => void) =>
  fc.assert(fc.property(declared, cluster, check), { numRuns: 2000 });

describe("the difference between declared and live", () => {
  test("applied twice, the second time is nothing", () => {
    property((wanted, before) => {
      const settled = settle(wanted, before);
      if (!settled) return;
      expect(difference(wanted, liveOf(settled.after)).steps).toEqual([]);
    });
  });

  test("cut off after any step, running it again ends in the same state", () => {
    property((wanted, before) => {
      const settled = settle(wanted, before);
      if (!settled) return;
      let now = before;
      for (const step of settled.found.steps) {
        now = applyStep(now, step, wanted);
        expect(settle(wanted, now)?.after).toEqual(settled.after);
      }
    });
  });

  test("only dev and qa drop a database, a collection or the user; others keep and say so", () => {
    property((wanted, before) => {
      const settled = settle(wanted, before);
      if (!settled || ["dev", "qa"].includes(wanted.environment)) return;
      const drops = settled.found.steps.filter((step) => step.do.startsWith("drop"));
      expect(drops.every((step) => step.do === "drop-user" && wanted.retiredUsers.includes(step.user))).toBe(
        true,
      );
      for (const [name, collections] of before.databases)
        for (const mark of collections.values())
          expect([...settled.after.databases.get(name)!.values()]).toContain(mark);
    });
  });

  test("what was not declared before is never dropped, renamed or changed", () => {
    property((wanted, before) => {
      const settled = settle(wanted, before);
      if (!settled) return;
      for (const [name, collections] of before.databases) {
        const previous = wanted.previous?.find((each) => each.name === name);
        if (previous && !wanted.databases.some((each) => each.name === name)) continue;
        const now = wanted.databases.find((each) => each.name === name)?.collections ?? [];
        for (const [collection, mark] of collections) {
          const renamed = now.some(({ renamedFrom }) => renamedFrom === collection);
          if (previous?.collections.includes(collection) || renamed) continue;
          expect(settled.after.databases.get(name)?.get(collection)).toBe(mark);
        }
      }
      expect(settled.after.users.get("application")).toEqual(before.users.get("application"));
    });
  });

  test("all that is declared stands afterwards, a renamed collection with its data, the user with its roles alone", () => {
    property((wanted, before) => {
      const settled = settle(wanted, before);
      if (!settled) return;
      for (const { name, collections } of wanted.databases)
        for (const collection of collections)
          expect(settled.after.databases.get(name)?.has(collection.name)).toBe(true);
      for (const step of settled.found.steps) {
        if (step.do !== "rename-collection") continue;
        const mark = before.databases.get(step.database)?.get(step.from);
        expect(settled.after.databases.get(step.database)?.get(step.to)).toBe(mark);
      }
      if (wanted.user.want === "present") {
        expect(settled.after.users.get("dms")).toEqual(replicationRoles(wanted.databases));
        expect(settled.after.passwordAccepted).toBe(true);
      }
    });
  });

  test("nothing is dropped before everything else stands", () => {
    property((wanted, before) => {
      const steps = settle(wanted, before)?.found.steps.map((step) => step.do.startsWith("drop")) ?? [];
      expect(steps).toEqual([...steps].sort((left, right) => Number(left) - Number(right)));
    });
  });

  const user = { name: "dms", want: "present" } as const;
  const base: Declared = { environment: "dev", databases: [], user, retiredUsers: [] };
  const live = (databases: Record<string, string[]>) =>
    liveOf({
      databases: new Map(
        Object.entries(databases).map(([name, all]) => [name, new Map(all.map((each) => [each, 1]))]),
      ),
      users: new Map([["dms", []]]),
      passwordAccepted: true,
    });

  test("old and new name of a rename both there: refused, naming both ways out", () => {
    const databases = [{ name: "shop", collections: [{ name: "b", renamedFrom: "a" }] }];
    expect(() => difference({ ...base, databases }, live({ shop: ["a", "b"] }))).toThrow(
      "rename collection shop.a to b: expected one of the two on DocumentDB, got both",
    );
  });

  test("a rename that was done long ago leaves a collection of the old name alone", () => {
    const databases = [{ name: "shop", collections: [{ name: "b", renamedFrom: "a" }] }];
    const previous = [{ name: "shop", collections: ["b"] }];
    const found = difference({ ...base, databases, previous }, live({ shop: ["a", "b"] }));
    expect(found.steps.map((step) => step.do)).toEqual(["update-user"]);
  });

  test("a database whose name differs by case alone is refused", () => {
    const databases = [{ name: "Shop", collections: [{ name: "a" }] }];
    expect(() => difference({ ...base, databases }, live({ shop: ["a"] }))).toThrow(
      /expected no database.*got shop/,
    );
  });
});
