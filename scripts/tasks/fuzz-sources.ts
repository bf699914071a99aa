/** Tasks files that hold what the repository's own doesn't. */
export const fuzzSources: readonly string[] = [
  `version: 1
defaults: {owners: [a], running: true, settings: {lob: {mode: limited, maxKilobytes: 64}}}
targetEndpoints: {shop: old-shop}
tasks:
  - {id: a, database: shop, collections: &list [x, {name: "a.b", renamedFrom: "old", loadOrder: 1}]}
  - {id: b, database: other, collections: *list}
`,
  `{"version": 1, "tasks": [{"id": "a", "database": "d", "collections": ["x", {"name": "y", "parallelLoad":
  {"boundaries": ["k", "t"]}}], "environments": {"qa": {"settings": {"targetPreparation": "drop-tables"}}}}]}`,
];
