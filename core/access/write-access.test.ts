import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { builtInWrites } from "./built-in-roles.ts";
import { grantedRoles, writerPrivileges, writerRoleName } from "./grant.ts";
import type { CustomRole, Principal, RoleReference } from "./principal.ts";
import { readOnlyRoles, writeReach, writingRoles } from "./write-access.ts";
import { surveyWriters } from "./writers.ts";

const scope = ["shop", "billing_2"];
const user = (name: string, ...roles: RoleReference[]): Principal => ({ user: name, db: "admin", roles });
const on = (role: string, db: string): RoleReference => ({ role, db });
const custom = (
  role: string,
  privileges: CustomRole["privileges"],
  ...roles: RoleReference[]
): CustomRole => ({
  role,
  db: "admin",
  roles,
  ...(privileges ? { privileges } : {}),
});

describe("what a role lets its holder write", () => {
  test("readWrite writes its own database and no other", () => {
    expect(writingRoles(user("a", on("readWrite", "shop")), [], scope)).toHaveLength(1);
    expect(writingRoles(user("a", on("readWrite", "elsewhere")), [], scope)).toHaveLength(0);
  });

  test("roles on every database, the restore role and those that may grant themselves more, write everywhere", () => {
    for (const role of ["readWriteAnyDatabase", "root", "restore", "userAdminAnyDatabase", "clusterAdmin"]) {
      expect([role, ...writeReach(on(role, "admin"), [])]).toEqual([role, "*"]);
    }
    expect([...writeReach(on("userAdmin", "admin"), [])]).toEqual(["*"]);
  });

  test("reading and watching writes nothing", () => {
    for (const role of [
      "read",
      "readAnyDatabase",
      "clusterMonitor",
      "clusterManager",
      "backup",
      "hostManager",
    ]) {
      expect([role, writeReach(on(role, "admin"), []).size]).toEqual([role, 0]);
    }
  });

  test("a custom role writes through one action on one collection of the scope, also when it only inherits it", () => {
    const base = custom("base", [
      { resource: { db: "shop", collection: "orders" }, actions: ["find", "update"] },
    ]);
    const outer = custom("outer", [], on("base", "admin"));
    expect(writingRoles(user("a", on("outer", "admin")), [base, outer], scope)).toHaveLength(1);
    expect(writingRoles(user("a", on("outer", "admin")), [base, outer], ["billing_2"])).toHaveLength(0);
  });

  test("a custom role that inherits itself in a circle ends", () => {
    const left = custom("left", [], on("right", "admin"));
    const right = custom("right", [], on("left", "admin"));
    expect(writeReach(on("left", "admin"), [left, right]).size).toBe(0);
  });

  test("a custom role whose privileges are not shown, and a role nobody knows, count as writing", () => {
    expect(writingRoles(user("a", on("dark", "admin")), [custom("dark", undefined)], scope)).toHaveLength(1);
    expect(writingRoles(user("a", on("futureRole", "admin")), [], scope)).toHaveLength(1);
  });
});

describe("making a user read-only", () => {
  test("keeps reading where it could, keeps what writes nothing", () => {
    const principal = user("a", on("readWrite", "shop"), on("read", "logs"), on("clusterMonitor", "admin"));
    expect(readOnlyRoles(principal, [], scope)).toEqual([
      on("read", "shop"),
      on("read", "logs"),
      on("clusterMonitor", "admin"),
    ]);
  });

  test("an unexplained role gives reading in scope, not everywhere", () => {
    expect(readOnlyRoles(user("a", on("dark", "admin")), [], scope)).toEqual([
      on("read", "shop"),
      on("read", "billing_2"),
    ]);
  });

  const roleNames = [
    "read",
    "readWrite",
    "dbOwner",
    "dbAdmin",
    "userAdmin",
    "root",
    "restore",
    "readWriteAnyDatabase",
  ];
  const anyRole = fc.record({
    role: fc.oneof(fc.constantFrom(...roleNames, "backup", "clusterAdmin", "one", "two", "unknown")),
    db: fc.constantFrom("admin", "shop", "billing_2", "other"),
  });
  const anyPrivilege = fc.record({
    resource: fc.oneof(
      fc.record({ db: fc.constantFrom("", "shop", "other"), collection: fc.constantFrom("", "orders") }),
      fc.constant({ cluster: true }),
      fc.constant({ anyResource: true }),
    ),
    actions: fc.subarray(["find", "insert", "update", "remove", "listCollections", "anyAction"]),
  });
  const anyCustom = fc.record({
    role: fc.constantFrom("one", "two"),
    db: fc.constant("admin"),
    roles: fc.array(anyRole, { maxLength: 2 }),
    privileges: fc.array(anyPrivilege, { maxLength: 3 }),
  });

  test("whatever roles a user has, it can't write in scope afterwards, and doing it twice changes nothing", () => {
    fc.assert(
      fc.property(
        fc.array(anyRole, { maxLength: 5 }),
        fc.array(anyCustom, { maxLength: 2 }),
        (roles, customs) => {
          const readOnly = readOnlyRoles(user("a", ...roles), customs, scope);
          expect(writingRoles(user("a", ...readOnly), customs, scope)).toEqual([]);
          expect(readOnlyRoles(user("a", ...readOnly), customs, scope)).toEqual(readOnly);
        },
      ),
    );
  });

  test("a grant on top of it writes in scope, and is gone again after the next demotion", () => {
    fc.assert(
      fc.property(fc.array(anyRole, { maxLength: 4 }), fc.boolean(), (roles, allowRemove) => {
        const failbackId = "f1";
        const customs = [custom(writerRoleName(failbackId), writerPrivileges(scope))];
        const readOnly = readOnlyRoles(user("a", ...roles), customs, scope);
        const granted = grantedRoles({ readOnly, databases: scope, allowRemove, failbackId });
        for (const database of scope) {
          expect(writingRoles(user("a", ...granted), customs, [database]).length).toBeGreaterThan(0);
        }
        const again = grantedRoles({
          readOnly: readOnlyRoles(user("a", ...granted), customs, scope),
          databases: scope,
          allowRemove,
          failbackId,
        });
        expect(writingRoles(user("a", ...again), customs, scope).length).toBeGreaterThan(0);
        expect(
          writingRoles(user("a", ...readOnlyRoles(user("a", ...again), customs, scope)), customs, scope),
        ).toEqual([]);
      }),
    );
  });

  test("without leave to delete the granted role holds no remove", () => {
    expect(writerPrivileges(scope).flatMap(({ actions }) => actions)).not.toContain("remove");
    const granted = grantedRoles({ readOnly: [], databases: scope, allowRemove: false, failbackId: "f1" });
    expect(granted).toEqual([on("roundtrip_writer_f1", "admin")]);
    expect(builtInWrites("roundtrip_writer_f1")).toBeUndefined();
  });
});

describe("failback 1: who can write in scope", () => {
  const survey = surveyWriters({
    principals: [
      user("application", on("readWrite", "shop")),
      user("dms", on("root", "admin")),
      user("master", on("root", "admin")),
      user("stranger", on("dbOwner", "billing_2")),
      user("reader", on("read", "shop")),
    ],
    customRoles: [],
    databases: scope,
    listed: ["application", "dms", "gone"],
    administrators: ["master", "dms"],
  });

  test("an unlisted writer is named, a reader is not", () => {
    expect(survey.unlisted.map(({ principal }) => principal.user)).toEqual(["stranger"]);
  });

  test("a user that is listed and called administrator is demoted all the same", () => {
    expect(survey.listed.map(({ principal }) => principal.user)).toEqual(["application", "dms"]);
    expect(survey.administrators.map(({ principal }) => principal.user)).toEqual(["master"]);
  });

  test("a listed name that no user carries is reported", () => {
    expect(survey.missing).toEqual(["gone"]);
  });
});
