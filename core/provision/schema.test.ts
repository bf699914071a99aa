/** The schemas and the types say the same: the compiler holds one side of these lists, the test the other. */
import { expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import request from "../../schemas/provision-request.schema.json";
import response from "../../schemas/provision-response.schema.json";
import type {
  DeclaredCollection,
  DeclaredDatabase,
  ProvisionItem,
  ProvisionRequest,
  ProvisionResponse,
} from "./model.ts";

type Keys<T> = Record<keyof Required<T>, "needed" | "optional">;

const requestKeys: Keys<ProvisionRequest> = {
  version: "needed",
  environment: "needed",
  databases: "needed",
  previous: "optional",
  retiredUsers: "optional",
  trigger: "optional",
  dryRun: "optional",
  tf: "optional",
};
const terraform: Keys<NonNullable<ProvisionRequest["tf"]>> = { action: "needed", prev_input: "optional" };
const actions: Record<NonNullable<ProvisionRequest["tf"]>["action"], true> = {
  create: true,
  update: true,
  delete: true,
};
const database: Keys<DeclaredDatabase> = { name: "needed", collections: "needed" };
const collection: Keys<DeclaredCollection> = { name: "needed", renamedFrom: "optional" };
const responseKeys: Keys<ProvisionResponse> = {
  version: "needed",
  environment: "needed",
  dryRun: "needed",
  created: "needed",
  updated: "needed",
  dropped: "needed",
  kept: "needed",
  unchanged: "needed",
};
const item: Keys<ProvisionItem> = { kind: "needed", name: "needed", note: "optional" };
const kinds: Record<ProvisionItem["kind"], true> = { user: true, database: true, collection: true };

function keysOf({ properties, required }: { properties: object; required: string[] }) {
  const entries = Object.keys(properties).map((key) => [key, required.includes(key) ? "needed" : "optional"]);
  return Object.fromEntries(entries);
}

test("the request's schema has the keys of the types, each as needed as there", () => {
  const databases = request.$defs.databases.items;
  expect(keysOf(request)).toEqual(requestKeys);
  expect(keysOf(request.properties.tf)).toEqual(terraform);
  expect(request.properties.tf.properties.action.enum).toEqual(Object.keys(actions));
  expect(keysOf(databases)).toEqual(database);
  expect(keysOf(databases.properties.collections.items.oneOf[1] as never)).toEqual(collection);
});

test("the answer's schema has the keys of the types, each as needed as there", () => {
  expect(keysOf(response)).toEqual(responseKeys);
  expect(keysOf(response.$defs.items.items)).toEqual(item);
  expect(response.$defs.items.items.properties.kind.enum).toEqual(Object.keys(kinds));
});

test("names that a server would read as something else are refused by the schema", () => {
  const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(request);
  const asked = (name: string, collections: unknown[]) =>
    validate({ version: 1, environment: "dev", databases: [{ name, collections }] });
  expect(asked("shop", ["orders", "a.b", { name: "x", renamedFrom: "y" }, "'; drop", '"}]}'])).toBe(true);
  for (const name of ["a.b", "a/b", "$a", "a b", "", "a\u0000", "x".repeat(64), 'a"b'])
    expect([name, asked(name, ["orders"])]).toEqual([name, false]);
  for (const collection of ["$cmd", "system.users", "", "a\u0000b", "a$b", { name: "a", drop: true }, 5])
    expect([collection, asked("shop", [collection])]).toEqual([collection, false]);
  const retired = (user: unknown) =>
    validate({ version: 1, environment: "dev", databases: [], retiredUsers: [user] });
  expect([retired("dms_2025"), retired({ $ne: "" }), retired("a b"), retired("")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
