/**
 * The built-in roles of MongoDB 7.0 as data: action lists by resource, after the manual's page "Built-In Roles".
 * Roles of one database exist in each database; the ones for all databases and for the cluster in `admin` only.
 */
import { ANY, CLUSTER, namespace, type Privilege, type Resource } from "./privilege.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

const READ = words(
  "changeStream collStats dbHash dbStats find killCursors listCollections listIndexes listSearchIndexes planCacheRead",
);
const WRITE = words(
  "convertToCapped createCollection createIndex createSearchIndexes dropCollection dropIndex dropSearchIndex insert remove renameCollectionSameDB update updateSearchIndex",
);
const READ_WRITE = [...READ, ...WRITE];
const DB_ADMIN = words(
  `bypassDocumentValidation collMod collStats compact convertToCapped createCollection createIndex createSearchIndexes
   dbStats dropCollection dropDatabase dropIndex dropSearchIndex enableProfiler listCollections listIndexes
   listSearchIndexes planCacheIndexFilter planCacheRead planCacheWrite reIndex renameCollectionSameDB storageDetails
   updateSearchIndex validate viewUser analyze`,
);
const DB_ADMIN_PROFILE = words(
  "changeStream collStats convertToCapped createCollection createIndex dbHash dbStats dropCollection dropIndex find killCursors listCollections listIndexes planCacheRead",
);
const USER_ADMIN = words(
  `changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction
   viewRole viewUser`,
);
const CLUSTER_MONITOR = words(
  `checkFreeMonitoringStatus connPoolStats getClusterParameter getCmdLineOpts getDefaultRWConcern getLog getParameter
   getShardMap hostInfo inprog listDatabases listSessions listShards netstat queryStatsReadTransformed replSetGetConfig replSetGetStatus serverStatus
   setFreeMonitoring shardingState top useUUID operationMetrics`,
);
const CLUSTER_MANAGER = words(
  `addShard appendOplogNote applicationMessage cleanupOrphaned flushRouterConfig getDefaultRWConcern
   getClusterParameter listSessions listShards removeShard replSetConfigure replSetGetConfig replSetGetStatus
   replSetStateChange resync setDefaultRWConcern setFeatureCompatibilityVersion setClusterParameter setFreeMonitoring
   setUserWriteBlockMode transitionFromDedicatedConfigServer transitionToDedicatedConfigServer analyzeShardKey`,
);
const HOST_MANAGER = words(
  `applicationMessage closeAllDatabases connPoolSync flushRouterConfig fsync getCmdLineOpts invalidateUserCache killAnyCursor
   killAnySession killop logRotate oidReset resync rotateCertificates setParameter shutdown touch unlock dropConnections
   cpuProfiler invalidateUserCache configureQueryAnalyzer`,
);
const BACKUP_CLUSTER = words(
  "appendOplogNote getParameter listDatabases serverStatus setUserWriteBlockMode useUUID",
);
const RESTORE_DATABASE = words(
  `bypassDocumentValidation changeCustomData changePassword collMod convertToCapped createCollection createIndex
   createRole createUser dropCollection dropDatabase dropRole dropUser grantRole insert revokeRole viewRole viewUser`,
);
const RESTORE_COLLECTION = words(
  `bypassDocumentValidation collMod convertToCapped createCollection createIndex createSearchIndexes dropCollection dropDatabase dropIndex
   find insert listCollections remove renameCollectionSameDB update listIndexes listSearchIndexes dropSearchIndex updateSearchIndex`,
);
const ENABLE_SHARDING = words("enableSharding");

function grant(resource: Resource, ...actions: string[][]): Privilege {
  return { resource, actions: new Set(actions.flat()) };
}

function read(database: string): Privilege[] {
  return [grant(namespace(database, ""), READ), grant(namespace(database, "system.js"), READ)];
}

function readWrite(database: string): Privilege[] {
  return [grant(namespace(database, ""), READ_WRITE), grant(namespace(database, "system.js"), READ_WRITE)];
}

function dbAdmin(database: string): Privilege[] {
  return [
    grant(namespace(database, ""), DB_ADMIN),
    grant(namespace(database, "system.profile"), DB_ADMIN_PROFILE),
    grant(namespace(database, "system.views"), READ_WRITE),
  ];
}

function userAdmin(database: string): Privilege[] {
  return [grant(namespace(database, ""), USER_ADMIN)];
}

function anyDatabase(privileges: Privilege[]): Privilege[] {
  return [...privileges, grant(CLUSTER, ["listDatabases"])];
}

function clusterMonitor(): Privilege[] {
  return [
    grant(CLUSTER, CLUSTER_MONITOR),
    grant(namespace("", ""), words("collStats dbStats getDatabaseVersion indexStats useUUID")),
    grant(
      namespace("config", ""),
      words(
        "collStats dbStats getDatabaseVersion indexStats find listCollections listIndexes dbHash getShardVersion planCacheRead",
      ),
    ),
    grant(
      namespace("local", ""),
      words("collStats dbStats getDatabaseVersion indexStats find listCollections listIndexes dbHash"),
    ),
    grant(
      namespace("local", "system.replset"),
      words("find collStats dbHash dbStats getDatabaseVersion indexStats"),
    ),
    grant(namespace("", "system.profile"), words("find")),
  ];
}

function clusterManager(): Privilege[] {
  return [
    grant(CLUSTER, CLUSTER_MANAGER),
    grant(
      namespace("", ""),
      words(
        "clearJumboFlag enableSharding refineCollectionShardKey moveChunk splitChunk splitVector analyzeShardKey",
      ),
    ),
    grant(
      namespace("config", ""),
      words("insert remove update find listCollections listIndexes collStats dbStats"),
    ),
    grant(namespace("local", "system.replset"), words("find")),
  ];
}

function hostManager(): Privilege[] {
  return [grant(CLUSTER, HOST_MANAGER), grant(namespace("", ""), words("killCursors killAnyCursor"))];
}

function backup(): Privilege[] {
  return [
    grant(CLUSTER, BACKUP_CLUSTER),
    // Of system collections, too: mongodump asks for the indexes of admin.system.users.
    grant(ANY, words("collStats listCollections listIndexes")),
    grant(namespace("", ""), words("find listCollections listIndexes collStats listSearchIndexes")),
    grant(namespace("local", ""), words("find listCollections listIndexes collStats")),
    grant(namespace("config", ""), words("find listCollections listIndexes collStats")),
    grant(namespace("config", "settings"), words("insert update find")),
    grant(namespace("", "system.js"), words("find")),
    grant(namespace("", "system.profile"), words("find")),
    grant(namespace("", "system.views"), words("find")),
    ...words("system.users system.roles system.version system.new_users system.backup_users").map((name) =>
      grant(namespace("admin", name), words("find")),
    ),
  ];
}

function restore(): Privilege[] {
  return [
    // `anyAction` on anyResource is needed by applyOps of arbitrary entries only; the role itself has these.
    grant(
      CLUSTER,
      words(
        "getParameter useUUID bypassWriteBlockingMode forceUUID setUserWriteBlockMode listDatabases appendOplogNote applyOps",
      ),
    ),
    grant(namespace("", ""), RESTORE_DATABASE, RESTORE_COLLECTION),
    grant(namespace("config", ""), RESTORE_COLLECTION),
    grant(namespace("local", ""), RESTORE_COLLECTION),
    grant(namespace("", "system.js"), RESTORE_COLLECTION),
    grant(namespace("", "system.views"), RESTORE_COLLECTION),
    ...words("system.users system.roles system.version system.new_users system.backup_users").map((name) =>
      grant(namespace("admin", name), RESTORE_COLLECTION, words("find")),
    ),
  ];
}

const BY_DATABASE: Record<string, (database: string) => Privilege[]> = {
  read,
  readWrite,
  dbAdmin,
  userAdmin,
  dbOwner: (database) => [...readWrite(database), ...dbAdmin(database), ...userAdmin(database)],
  enableSharding: (database) => [grant(namespace(database, ""), ENABLE_SHARDING)],
};

const IN_ADMIN: Record<string, () => Privilege[]> = {
  readAnyDatabase: () => anyDatabase(read("")),
  readWriteAnyDatabase: () => anyDatabase(readWrite("")),
  dbAdminAnyDatabase: () => anyDatabase(dbAdmin("")),
  userAdminAnyDatabase: () => [
    ...userAdmin(""),
    // "Any database" leaves out local and config; the server names them here on their own.
    ...userAdmin("local"),
    ...userAdmin("config"),
    grant(CLUSTER, words("authSchemaUpgrade invalidateUserCache listDatabases")),
    ...words("system.users system.roles system.new_users system.backup_users system.version").map((name) =>
      grant(namespace("admin", name), words("find collStats dbHash dbStats listIndexes planCacheRead")),
    ),
    ...words("system.users system.roles").map((name) =>
      grant(namespace("admin", name), words("createIndex dropIndex")),
    ),
  ],
  clusterMonitor,
  clusterManager,
  hostManager,
  clusterAdmin: () => [
    ...clusterMonitor(),
    ...clusterManager(),
    ...hostManager(),
    grant(CLUSTER, ["bypassWriteBlockingMode"]),
    grant(namespace("", ""), ["dropDatabase"]),
  ],
  backup,
  restore,
  directShardOperations: () => [grant(CLUSTER, ["issueDirectShardOperations"])],
  __system: () => [grant(ANY, ["anyAction"])],
  root: () => [
    ...IN_ADMIN.userAdminAnyDatabase!(),
    ...IN_ADMIN.dbAdminAnyDatabase!(),
    ...IN_ADMIN.readWriteAnyDatabase!(),
    ...IN_ADMIN.clusterAdmin!(),
    ...restore(),
    ...backup(),
    grant(namespace("", ""), ["validate"]),
    grant(namespace("admin", "system.users"), ["find"]),
    grant(CLUSTER, words("bypassDefaultMaxTimeMS queryStatsRead queryStatsReadTransformed")),
    // Only root may use the stand-in's own command; the name can't be granted through a role of the server's.
    grant(CLUSTER, ["_sandbox", "configureFailPoint", "applyOps"]),
  ],
};

/** Privileges of a built-in role; undefined when the database has no built-in role of that name. */
export function builtinRole(role: string, database: string): Privilege[] | undefined {
  const ordinary = Object.hasOwn(BY_DATABASE, role) ? BY_DATABASE[role] : undefined;
  if (ordinary) return ordinary(database);
  if (database !== "admin") return undefined;
  return Object.hasOwn(IN_ADMIN, role) ? IN_ADMIN[role]!() : undefined;
}

export function builtinRoleNames(database: string): string[] {
  return [...Object.keys(BY_DATABASE), ...(database === "admin" ? Object.keys(IN_ADMIN) : [])].sort();
}
