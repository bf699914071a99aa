import { describe, expect, test } from "bun:test";
import type { ProvisionRequest } from "./model.ts";
import { declaredBy, declaredDatabases } from "./request.ts";

const facts = { environment: "dev", user: "dms", protectedUsers: ["master"] };
const request: ProvisionRequest = {
  version: 1,
  environment: "dev",
  databases: [{ name: "shop", collections: ["orders", { name: "clients", renamedFrom: "customers" }] }],
};
const read = (more: Partial<ProvisionRequest>) => declaredBy({ ...request, ...more }, facts);

describe("reading a request", () => {
  test("a direct call without previous removes nothing; with it, what it names", () => {
    expect(read({}).previous).toBeUndefined();
    expect(read({ previous: [{ name: "old", collections: ["x"] }] }).previous).toEqual([
      { name: "old", collections: ["x"] },
    ]);
  });

  test("Terraform's create knows nothing of before, its update the last input, its delete that all goes", () => {
    const prev_input = {
      version: 1,
      databases: [{ name: "shop", collections: ["gone"] }],
      anything: 1,
    } as const;
    expect(read({ tf: { action: "create", prev_input: null } }).previous).toBeUndefined();
    expect(read({ tf: { action: "update", prev_input } }).previous).toEqual([
      { name: "shop", collections: ["gone"] },
    ]);
    expect(read({ tf: { action: "delete", prev_input } })).toMatchObject({
      databases: [],
      previous: [{ name: "shop", collections: ["orders", "clients"] }],
      user: { name: "dms", want: "removed" },
    });
  });

  test("a request for another environment than the function's own is refused", () => {
    expect(() => declaredBy(request, { ...facts, environment: "prod" })).toThrow(
      'read environment of the request to create-user-db: expected prod, got "dev"',
    );
  });

  test("what contradicts itself is refused by name", () => {
    const twice = { name: "shop", collections: ["a"] };
    const cases: [Partial<ProvisionRequest>, RegExp][] = [
      [{ databases: [twice, { ...twice, name: "SHOP" }] }, /each name once/],
      [{ databases: [{ name: "shop", collections: ["a", "a"] }] }, /collections of shop/],
      [{ databases: [{ name: "admin", collections: ["a"] }] }, /databases of applications, got "admin"/],
      [{ databases: [{ name: "shop", collections: ["é".repeat(126)] }] }, /255 bytes/],
      [{ databases: [{ name: "é".repeat(32), collections: ["a"] }] }, /63 bytes/],
      [
        { databases: [{ name: "shop", collections: ["a", { name: "b", renamedFrom: "a" }] }] },
        /a name that is gone/,
      ],
      [{ previous: [], tf: { action: "create", prev_input: null } }, /nothing beside tf/],
      [{ retiredUsers: ["dms"] }, /former names of the DMS user/],
      [{ retiredUsers: ["master"] }, /former names of the DMS user/],
    ];
    for (const [more, words] of cases) expect(() => read(more)).toThrow(words);
  });

  test("the databases of tasks.yaml come once each, with the collections of all their tasks", () => {
    const tasks = [
      { id: "a", database: "shop", collections: [{ name: "x", loadOrder: 3 }] },
      { id: "b", database: "billing", collections: [{ name: "y" }] },
      { id: "c", database: "shop", collections: [{ name: "z", renamedFrom: "old" }] },
    ];
    expect(declaredDatabases({ tasks })).toEqual([
      { name: "shop", collections: [{ name: "x" }, { name: "z", renamedFrom: "old" }] },
      { name: "billing", collections: [{ name: "y" }] },
    ]);
  });
});
