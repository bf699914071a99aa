import type { DmsFacts, DocumentdbFacts, HostFacts, MongodbFacts } from "./model.ts";
import type { PreflightFacts } from "./report.ts";

/** Facts of an environment in which nothing is missing. */
export const readyMongodb: MongodbFacts = {
  version: "7.0.14",
  topology: "replica-set",
  tls: true,
  oplog: { value: { windowSeconds: 50 * 3600, bytes: 10, bytesMax: 10, retentionHours: 0 } },
  dmsUser: {
    value: {
      name: "dms_source",
      exists: true,
      mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256"],
      lacking: [],
      login: "accepted",
    },
  },
  lacking: { value: [] },
  data: {
    value: {
      namespaces: ["shop.customers", "shop.orders"],
      sampledDocuments: 40,
      longIds: [],
      deep: [],
      dollarNames: [],
      changed: [],
    },
  },
};

export const readyDocumentdb: DocumentdbFacts = {
  version: "5.0.0",
  tls: true,
  roles: [{ role: "root", db: "admin" }],
  streams: { value: "off" },
  users: { value: ["application", "dms"] },
};

export const readyDms: DmsFacts = {
  instances: [{ arn: "rep-1", id: "instance", engineVersion: "3.6.1", status: "available" }],
  tasks: [{ id: "shop", instanceArn: "rep-1", endpointArns: ["source", "target"] }],
  endpoints: [
    {
      id: "mongodb",
      arn: "source",
      type: "source",
      engine: "mongodb",
      tls: true,
      secret: "dms-source",
      nestingLevel: "none",
      extractDocId: "true",
      authMechanism: "default",
    },
    { id: "documentdb-shop", arn: "target", type: "target", engine: "docdb", tls: true, secret: "dms" },
  ],
  quotas: [
    { name: "ReplicationTasks", used: 1, max: 600 },
    { name: "Endpoints", used: 2, max: 1000 },
  ],
};

export const readyHost: HostFacts = {
  version: 1,
  environment: "dev",
  takenAt: "2026-11-21T10:00:00.000Z",
  ec2: { value: "failback host i-1 is stopped" },
  secrets: [
    {
      name: "application",
      use: "user application",
      address: false,
      fields: { value: ["password", "username"] },
    },
  ],
  mongodb: { value: readyMongodb },
  documentdb: { value: readyDocumentdb },
};

export const readyFacts: PreflightFacts = {
  environment: "dev",
  takenAt: new Date("2026-11-21T10:00:00.000Z"),
  declared: {
    taskIds: ["shop"],
    databases: ["shop"],
    namespaces: ["shop.orders", "shop.customers"],
    dmsTargetUser: "dms",
    applicationUsers: ["application"],
  },
  runner: {
    environment: { value: "dev" },
    bucket: { value: "bucket" },
    instance: { value: "running" },
    createUserDb: { value: { name: "create-user-db" } },
  },
  host: { value: readyHost },
  instanceId: "i-2",
  dms: { value: readyDms },
};
