/** The schema and the types say the same: the compiler holds one side of these lists, the test the other. */
import { expect, test } from "bun:test";
import schema from "../../schemas/inspection.schema.json";
import type { Inspection, LiveCollection, LiveDatabase, LiveSide, LiveUser } from "./live-state.ts";

type Keys<T> = Record<keyof Required<T>, "needed" | "optional">;
type Read = Extract<LiveSide, { reachable: true }>;
type Unread = Extract<LiveSide, { reachable: false }>;

const inspection: Keys<Inspection> = {
  version: "needed",
  environment: "needed",
  takenAt: "needed",
  mongodb: "needed",
  documentdb: "needed",
};
const read: Keys<Read> = { reachable: "needed", version: "needed", databases: "needed", users: "needed" };
const unread: Keys<Unread> = { reachable: "needed", reason: "needed" };
const database: Keys<LiveDatabase> = { name: "needed", collections: "needed" };
const collection: Keys<LiveCollection> = {
  name: "needed",
  documents: "needed",
  estimated: "optional",
  bytes: "needed",
  indexes: "needed",
};
const user: Keys<LiveUser> = { name: "needed", db: "optional", roles: "needed" };

function keysOf({ properties, required }: { properties: object; required: string[] }) {
  const entries = Object.keys(properties).map((key) => [key, required.includes(key) ? "needed" : "optional"]);
  return Object.fromEntries(entries);
}

test("inspection.schema.json has the keys of the types, each as needed as there", () => {
  expect(keysOf(schema)).toEqual(inspection);
  const { side } = schema.$defs;
  expect(side.oneOf.map((each) => keysOf(each))).toEqual([read, unread]);
  expect(keysOf(schema.$defs.database)).toEqual(database);
  expect(keysOf(schema.$defs.collection)).toEqual(collection);
  expect(keysOf(schema.$defs.user)).toEqual(user);
});
