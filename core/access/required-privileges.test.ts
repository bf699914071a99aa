import { expect, test } from "bun:test";
import type { Privilege } from "./principal.ts";
import { missingPrivileges, requiredPrivileges } from "./required-privileges.ts";

const required = requiredPrivileges(["shop"], true);
const every = [...new Set(required.map(({ action }) => action))];
const held: Privilege[] = [
  { resource: { cluster: true }, actions: every },
  { resource: { db: "", collection: "" }, actions: every },
  { resource: { db: "local", collection: "oplog.rs" }, actions: ["find"] },
];

test("a user that holds everything lacks nothing, and so does one with anyAction on anyResource", () => {
  expect(missingPrivileges(held, required)).toEqual([]);
  expect(missingPrivileges([{ resource: { anyResource: true }, actions: ["anyAction"] }], required)).toEqual(
    [],
  );
});

test("each missing privilege is named, with its database", () => {
  const less = held.map(({ resource, actions }) => ({
    resource,
    actions: actions.filter((action) => action !== "setUserWriteBlockMode" && action !== "remove"),
  }));
  expect(missingPrivileges(less, required)).toEqual(["setUserWriteBlockMode", "remove on shop"]);
});

test("a privilege on one collection is none on the database", () => {
  const one = [{ resource: { db: "shop", collection: "orders" }, actions: every }];
  expect(missingPrivileges(one, required)).toContain("insert on shop");
});

test("before 6.0 no write block is asked for", () => {
  expect(requiredPrivileges(["shop"], false).map(({ action }) => action)).not.toContain(
    "setUserWriteBlockMode",
  );
});
