/** Every refusal there is, with the text a person reads. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { problemAnnotation, problemText } from "./problem.ts";
import { readTasks } from "./read.ts";

const task = (text: string) => `version: 1\ntasks:\n  - id: a\n    database: shop\n${text}`;
const collections = (text: string) => task(`    collections: ${text}\n`);
const two = (first: string, second: string) => `version: 1\ntasks:\n  - {${first}}\n  - {${second}}\n`;

/** Code, text of the file, and the lines that are expected, whole. */
const cases: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "yaml-syntax",
    "version: [",
    [
      "t:1:11 .: Flow sequence in block collection must be sufficiently indented and end with a ]; expected YAML 1.2; fix: mend the line",
    ],
  ],
  [
    "yaml-syntax",
    "version: 1\n---\nx: 1",
    ["t:2:1 .: a second document begins here; expected one document; fix: mend the line"],
  ],
  [
    "yaml-tag",
    collections('[!!binary "eA=="]'),
    ["t:5:19 .: Unresolved tag: tag:yaml.org,2002:binary; expected values without tags; fix: remove the tag"],
  ],
  [
    "duplicate-key",
    `version: 1\n${collections("[c]")}`,
    ['t:2:1 .: key "version" stands here twice; expected each key once; fix: keep one of the two'],
  ],
  [
    "key-not-text",
    `${collections("[c]")}1: x\n`,
    [
      "t:6:1 .: a key that is not text; expected one of the keys of tasks.schema.json; fix: write the key as a plain word",
    ],
  ],
  [
    "hidden-character",
    collections("[c] # \u202e"),
    ["t:5:24 .: U+202E in the text; expected characters that can be seen; fix: delete the character"],
  ],
  [
    "hidden-character",
    collections('["c\\u0007"]'),
    [
      't:5:19 tasks[0].collections[0]: "c\\u0007" holds a character that can\'t be seen; expected characters that can be seen; fix: delete the escape',
    ],
  ],
  [
    "unquoted-name",
    collections("[on, 2024_01, {name: 2024-01-31, renamedFrom: No}, 'off', \"2024-02-01\", oN, one]"),
    [
      't:5:19 tasks[0].collections[0]: "on" stands here without quotes, and Terraform takes it for something else than text; expected quotes around it; fix: write "on", with the quotes',
      't:5:39 tasks[0].collections[2].name: "2024-01-31" stands here without quotes, and Terraform takes it for something else than text; expected quotes around it; fix: write "2024-01-31", with the quotes',
      't:5:64 tasks[0].collections[2].renamedFrom: "No" stands here without quotes, and Terraform takes it for something else than text; expected quotes around it; fix: write "No", with the quotes',
    ],
  ],
  [
    "unquoted-name",
    `version: 1\ntargetEndpoints: {on: e-1}\ntasks:\n  - {id: y, database: "on", collections: [c]}\n`,
    [
      't:2:19 targetEndpoints.on: "on" stands here without quotes, and Terraform takes it for something else than text; expected quotes around it; fix: write "on", with the quotes',
      't:4:10 tasks[0].id: "y" stands here without quotes, and Terraform takes it for something else than text; expected quotes around it; fix: write "y", with the quotes',
    ],
  ],
  [
    "too-deep",
    `a: ${"[".repeat(65)}${"]".repeat(65)}`,
    [
      "t:1:68 .: nested more than 64 levels; expected the few levels of tasks.schema.json; fix: remove the nesting",
    ],
  ],
  [
    "too-deep",
    "[".repeat(100_000),
    [
      "t:1:1 .: nested more than 64 levels; expected the few levels of tasks.schema.json; fix: remove the nesting",
    ],
  ],
  [
    "unknown-anchor",
    collections("*c"),
    ["t:5:18 .: *c has no anchor before it; expected &c above; fix: write the value out"],
  ],
  [
    "anchor-cycle",
    "a: &a [*a]",
    ["t:1:8 .: *a stands inside &a; expected an anchor that doesn't hold itself; fix: write the value out"],
  ],
  [
    "too-many-aliases",
    `a: &a 1\nb: [${"*a, ".repeat(201)}]`,
    ["t:2:805 .: *a is alias 201; expected at most 200; fix: write the value out"],
  ],
  [
    "too-many-aliases",
    bomb(),
    [
      "t:5:36 .: *d makes aliases stand for more than 100000 values; expected fewer; fix: write the value out",
    ],
  ],
  [
    "file-too-large",
    "#".repeat(16 * 1024 * 1024 + 1),
    ["t:1:1 .: 16777217 characters; expected at most 16777216; fix: remove what isn't a task"],
  ],
  [
    "unknown-key",
    `${collections("[c]")}    owner: [x]\n`,
    [
      't:6:5 tasks[0].owner: unknown key "owner"; expected one of id, database, collections, owners, running, settings, environments; fix: write owners',
    ],
  ],
  [
    "unknown-key",
    `${collections("[c]")}__proto__: {x: 1}\n`,
    [
      't:6:1 __proto__: unknown key "__proto__"; expected one of version, defaults, targetEndpoints, tasks; fix: remove it, or put it where it belongs',
    ],
  ],
  [
    "missing-key",
    task("    owners: [x]\n"),
    ['t:3:5 tasks[0]: no "collections"; expected "collections" here; fix: add collections: …'],
  ],
  [
    "wrong-type",
    collections("[1]"),
    [
      't:5:19 tasks[0].collections[0]: 1 is a number; expected text or keys with values; fix: put it in quotes: "1"',
    ],
  ],
  ["wrong-type", "", ["t:1:1 .: nothing here; expected keys with values; fix: write keys with values"]],
  [
    "wrong-value",
    `${collections("[c]")}    settings: {lob: {mode: limitted}}\n`,
    ['t:6:28 tasks[0].settings.lob.mode: "limitted"; expected "full" or "limited"; fix: write limited'],
  ],
  ["wrong-value", collections("[c]").replace("1", "2"), ["t:1:10 version: 2; expected 1; fix: write 1"]],
  [
    "out-of-range",
    `${collections("[c]")}    settings: {parallelLoad: {partitions: 0}}\n`,
    [
      "t:6:43 tasks[0].settings.parallelLoad.partitions: 0; expected at least 1; fix: write a value within the limits",
    ],
  ],
  [
    "too-few",
    collections("[]"),
    ["t:5:18 tasks[0].collections: a list of 0; expected 1 or more; fix: add an item, or remove the whole"],
  ],
  [
    "too-many",
    collections("[{name: c, parallelLoad: {partitions: 2, boundaries: [x]}}]"),
    ["t:5:43 tasks[0].collections[0].parallelLoad: 2 keys; expected 1 or fewer; fix: keep one of the keys"],
  ],
  [
    "too-short",
    collections('[{name: c, parallelLoad: {boundaries: [""]}}]'),
    [
      't:5:57 tasks[0].collections[0].parallelLoad.boundaries[0]: ""; expected 1 or more; fix: write a value within the limits',
    ],
  ],
  [
    "too-long",
    collections(`[{name: c, parallelLoad: {boundaries: [${"x".repeat(201)}]}}]`),
    [
      `t:5:57 tasks[0].collections[0].parallelLoad.boundaries[0]: "${"x".repeat(79)}…"; expected 200 or fewer; fix: write a value within the limits`,
    ],
  ],
  [
    "repeated",
    `${collections("[c]")}    owners: [x, x]\n`,
    ["t:6:13 tasks[0].owners: a list of 2; expected each value once; fix: remove item 2, it repeats another"],
  ],
  [
    "task-id",
    collections("[c]").replace("id: a", "id: a_b"),
    [
      't:3:9 tasks[0].id: "a_b" can\'t be used; expected up to 201 small letters, digits and single hyphens, a letter first (DMS refuses others); fix: write it like shop-orders',
    ],
  ],
  [
    "database-name",
    collections("[c]").replace("shop", "a.b"),
    [
      't:4:15 tasks[0].database: "a.b" can\'t be used; expected a database name of 1 to 63 characters without /\\. "$*<>:|? (MongoDB refuses them); fix: write the database\'s exact name',
    ],
  ],
  [
    "collection-name",
    collections("[cafe\u0301]"),
    [
      't:5:19 tasks[0].collections[0]: "cafe\u0301" has a letter and its accent as two characters; expected one (Terraform joins them, and DMS would look for another collection); fix: write it with joined characters; where the collection itself is named so, rename it in MongoDB first',
    ],
  ],
  [
    "collection-name",
    collections("[system.users]"),
    [
      "t:5:19 tasks[0].collections[0]: \"system.users\" can't be used; expected a collection name of 1 to 255 characters without $, that does not begin with system.; fix: write the collection's exact name; system collections are not replicated",
    ],
  ],
  [
    "collection-name",
    collections("[a..b]"),
    [
      't:5:19 tasks[0].collections[0]: "a..b" has an empty part; expected dots between words only (MongoDB refuses others); fix: write the collection\'s exact name',
    ],
  ],
  [
    "owner-name",
    `${collections("[c]")}    owners: ["a b"]\n`,
    [
      't:6:14 tasks[0].owners[0]: "a b" can\'t be used; expected a team, handle or mail address: letters, digits and @ / . _ -; fix: write it like team-orders',
    ],
  ],
  [
    "endpoint-id",
    `${collections("[c]")}targetEndpoints: {shop: a_b}\n`,
    [
      "t:6:25 targetEndpoints.shop: \"a_b\" can't be used; expected up to 255 letters, digits and single hyphens, a letter first (DMS refuses others); fix: write the endpoint's identifier as DMS shows it",
    ],
  ],
  [
    "endpoint-id",
    collections("[c]").replace("shop", "日本"),
    [
      't:4:15 tasks[0].database: "日本" gives no endpoint identifier, it has no letter or digit; expected one DMS accepts; fix: name one: targetEndpoints: {"日本": documentdb-…}',
    ],
  ],
  [
    "endpoint-conflict",
    two("id: a, database: shop_eu, collections: [c]", "id: b, database: shop-eu, collections: [c]"),
    [
      't:4:23 tasks[1].database: endpoint "documentdb-shop-eu" of "shop-eu" is already that of "shop_eu"; expected one endpoint a database; fix: name another: targetEndpoints: {"shop-eu": …}',
    ],
  ],
  [
    "unused-endpoint",
    `${collections("[c]")}targetEndpoints: {other: e}\n`,
    [
      't:6:19 targetEndpoints.other: "other" is the database of no task; expected one of shop; fix: remove the line, or correct the database',
    ],
  ],
  [
    "duplicate-task",
    two("id: a, database: d, collections: [c]", "id: a, database: d, collections: [e]"),
    [
      't:4:10 tasks[1].id: "a" is already the id of tasks[0]; expected an id of its own; fix: rename one of the two, or move its collections to tasks[0]',
    ],
  ],
  [
    "reserved-database",
    collections("[c]").replace("shop", "admin"),
    [
      't:4:15 tasks[0].database: "admin" belongs to MongoDB or to Roundtrip; expected a database of an application; fix: remove the task',
    ],
  ],
  [
    "database-case",
    two("id: a, database: d, collections: [c]", "id: b, database: D, collections: [e]"),
    [
      't:4:23 tasks[1].database: "D" differs from "d" by case alone; expected one spelling (MongoDB refuses two); fix: write "d", or correct the other',
    ],
  ],
  [
    "name-too-long",
    collections(`[${"c".repeat(251)}]`),
    [
      `t:5:19 tasks[0].collections[0]: "shop.${"c".repeat(74)}…" has 256 bytes; expected at most 255 (MongoDB refuses more); fix: write the collection's exact name`,
    ],
  ],
  [
    "name-too-long",
    collections("[c]").replace("shop", `a${"é".repeat(40)}`),
    [
      `t:4:15 tasks[0].database: "a${"é".repeat(40)}" has 81 bytes; expected at most 63 (MongoDB refuses more); fix: write the database's exact name`,
    ],
  ],
  [
    "duplicate-collection",
    collections("[a_b, c, a_b]"),
    [
      't:5:27 tasks[0].collections[2]: "a_b" stands here and at collections[0]; expected each collection once; fix: remove one of the two',
    ],
  ],
  [
    "collection-in-two-tasks",
    two("id: a, database: d, collections: [c]", "id: b, database: d, collections: [c]"),
    [
      't:4:40 tasks[1].collections[0]: "c" is already in task "a", tasks[0].collections[0]; expected each collection in one task; fix: remove it from one of the two',
    ],
  ],
  [
    "two-databases",
    collections("[c]").replace("shop", "[shop, billing]"),
    [
      "t:4:15 tasks[0].database: a list of 2 gives one task more than one database; expected one database a task, its target endpoint comes from it; fix: make a task of its own for each database (roundtrip tasks add-database)",
    ],
  ],
  [
    "two-databases",
    two("id: a, database: d, collections: [e.c]", "id: b, database: e, collections: [x]"),
    [
      't:3:40 tasks[0].collections[0]: "e.c" is a collection of database "e" in a task of "d"; expected one database a task; fix: move it to a task of e; if the dot belongs to the name, write {name: e.c}',
    ],
  ],
  [
    "two-databases",
    collections("[{name: c, database: e}]"),
    [
      't:5:29 tasks[0].collections[0].database: "database" gives one task more than one database; expected one database a task, its target endpoint comes from it; fix: make a task of its own for each database (roundtrip tasks add-database)',
    ],
  ],
  [
    "qualified-name",
    collections("[shop.c]"),
    [
      't:5:19 tasks[0].collections[0]: "shop.c" repeats the task\'s database; expected the collection alone, "c"; fix: write c; if the dot belongs to the name, write {name: shop.c}',
    ],
  ],
  [
    "renamed-from-itself",
    collections("[{name: c, renamedFrom: c}]"),
    [
      't:5:42 tasks[0].collections[0].renamedFrom: "c" is its own name; expected the name before the rename; fix: remove renamedFrom',
    ],
  ],
  [
    "renamed-from-declared",
    collections("[d, {name: c, renamedFrom: d}]"),
    [
      't:5:45 tasks[0].collections[1].renamedFrom: "d" is still declared in database "shop"; expected a name that is gone; fix: remove d from the collections, or remove renamedFrom',
    ],
  ],
  [
    "renamed-from-twice",
    collections("[{name: c, renamedFrom: d}, {name: e, renamedFrom: d}]"),
    [
      't:5:69 tasks[0].collections[1].renamedFrom: "d" was already renamed to "c"; expected each old name once; fix: keep renamedFrom at one of the two',
    ],
  ],
  [
    "lob-settings",
    `${collections("[c]")}    settings: {lob: {mode: limited}}\n`,
    [
      "t:6:21 tasks[0].settings.lob: limited without maxKilobytes; expected the longest document's size; fix: add maxKilobytes: 16384",
    ],
  ],
  [
    "lob-settings",
    `${collections("[c]")}    settings: {lob: {mode: full, maxKilobytes: 1}}\n`,
    [
      "t:6:48 tasks[0].settings.lob.maxKilobytes: 1 with mode full; expected maxKilobytes with limited only; fix: remove it, or write mode: limited",
    ],
  ],
  [
    "drop-in-prod",
    `${collections("[c]")}    settings: {targetPreparation: drop-tables}\n`,
    [
      't:6:35 tasks[0].settings.targetPreparation: task "a" would drop its collections in prod before a load; expected do-nothing in prod; fix: write environments: {prod: {settings: {targetPreparation: do-nothing}}} in the task, or drop-tables in dev and qa only',
    ],
  ],
];

/** Six anchors, each ten times the one before: a million values in six lines. */
function bomb(): string {
  const lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
  for (const [to, from] of [..."bcdef"].map((name, index) => [name, "abcde"[index]]))
    lines.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(", ")}]`);
  return lines.join("\n");
}

test.each(cases)("%s", (code, text, expected) => {
  const { tasks, problems } = readTasks(text, "t");
  expect(tasks).toBeUndefined();
  expect(problems.map(problemText)).toEqual([...expected]);
  expect(problems[0]?.code).toBe(code);
});

test("every code of the sources has a case", () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  );
  const text = sources.map((name) => readFileSync(join(import.meta.dirname, name), "utf8")).join("\n");
  const used = [
    ...text.matchAll(
      /code: "([a-z-]+)"|code: \w+ \? "([a-z-]+)" : "([a-z-]+)"|fault\("([a-z-]+)"|fault\(\s+"([a-z-]+)"|^ {2}\w+: "([a-z-]+)",$/gm,
    ),
  ];
  const codes = new Set(used.flatMap((match) => match.slice(1).filter((code) => code !== undefined)));
  const shown = new Set(cases.map(([code]) => code));
  const texts = ["text", "full", "limited", "do-nothing"];
  expect([...codes].filter((code) => !shown.has(code) && !texts.includes(code)).sort()).toEqual([]);
  expect(codes.size).toBeGreaterThan(30);
});

test("all problems come at once, of text, schema and rules, in the order of the file", () => {
  const text = `version: 2
version: 1
tasks:
  - id: a
    database: [shop]
    collections: [a, 3, a, {name: x, foo: 1, renamedFrom: x}]
  - id: a
    database: bar # \u200b
    collections: []
`;
  const { problems } = readTasks(text, "t");
  expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
    "2:1 duplicate-key",
    "5:15 two-databases",
    "6:22 wrong-type",
    "6:25 duplicate-collection",
    "6:38 unknown-key",
    "7:9 duplicate-task",
    "8:21 hidden-character",
    "9:18 too-few",
  ]);
});

test("a collection shared by an anchor is one problem in each task, and lists of other databases may share", () => {
  const shared = `version: 1
tasks:
  - {id: a, database: d, collections: &common [x, z]}
  - {id: b, database: e, collections: *common}
`;
  expect(readTasks(shared).tasks?.tasks[1]?.collections).toEqual([{ name: "x" }, { name: "z" }]);
});

test("keys of Object.prototype are ordinary text: nothing is polluted, nothing found that isn't there", () => {
  const text = `version: 1
targetEndpoints: {constructor: c-1, "__proto__": p-1}
tasks:
  - {id: a, database: constructor, collections: [toString, hasOwnProperty]}
  - {id: b, database: __proto__, collections: [__proto__]}
  - {id: c, database: valueOf, collections: [x]}
`;
  expect(readTasks(text).problems).toEqual([]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test("an annotation can't be broken out of by a name of the file or of a collection", () => {
  const [problem] = readTasks(
    collections('["a\\n::error::x%", "a\\n::error::x%"]'),
    "x,line=1:\n.yaml",
  ).problems;
  expect(problemAnnotation(problem!)).toBe(
    '::error file=x%2Cline=1%3AU+000A.yaml,line=5,col=19,title=hidden-character::tasks[0].collections[0]: "a\\n::error::x%25" holds a character that can\'t be seen; expected characters that can be seen; fix: delete the escape',
  );
});
