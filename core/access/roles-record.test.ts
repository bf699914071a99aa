import { expect, test } from "bun:test";
import {
  addUsers,
  emptyRolesRecord,
  fencesVoidThrough,
  type RecordedUser,
  type RolesRecord,
  type Side,
} from "./roles-record.ts";

const rolesOf = (record: RolesRecord, side: Side, user: string) =>
  record.users.find((known) => known.side === side && known.user === user)?.roles;

const recorded = (user: string, role: string): RecordedUser => ({
  side: "documentdb",
  user,
  db: "admin",
  roles: [{ role, db: "shop" }],
  recordedAt: "2026-11-21T00:00:00.000Z",
});

test("the first roles ever seen of a user stay, whatever it holds at a rerun", () => {
  const once = addUsers(emptyRolesRecord("f1"), [recorded("a", "readWrite")]);
  const twice = addUsers(once, [recorded("a", "read"), recorded("b", "dbOwner")]);
  expect(rolesOf(twice, "documentdb", "a")).toEqual([{ role: "readWrite", db: "shop" }]);
  expect(twice.users.map(({ user }) => user)).toEqual(["a", "b"]);
  expect(addUsers(twice, [recorded("b", "read")])).toBe(twice);
});

test("the same name on the other side is another user", () => {
  const record = addUsers(emptyRolesRecord("f1"), [
    recorded("a", "readWrite"),
    { ...recorded("a", "root"), side: "mongodb" },
  ]);
  expect(rolesOf(record, "mongodb", "a")?.[0]?.role).toBe("root");
});

test("a grant makes the fences before it void", () => {
  const record = emptyRolesRecord("f1");
  expect(fencesVoidThrough(record)).toBe(0);
  const at = "2026-11-21T00:00:00.000Z";
  expect(fencesVoidThrough({ ...record, grants: [{ at, allowRemove: false, fencesBefore: 2 }] })).toBe(2);
});
