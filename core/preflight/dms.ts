import { quota } from "./dms-quota.ts";
import { compareVersions, Question, some } from "./line.ts";
import type {
  DeclaredFacts,
  DmsEndpointFacts,
  DmsFacts,
  Fact,
  MongodbFacts,
  PreflightLine,
} from "./model.ts";

/** MongoDB from this version on needs DMS from that on. AWS DMS user guide, sources. */
const sourceVersions = [
  { mongodb: "7.0", dms: "3.5.4" },
  { mongodb: "6.0", dms: "3.5.2" },
  { mongodb: "5.0", dms: "3.5.1" },
] as const;
/** AWS DMS release notes: the day a version stops being supported. */
const endOfLife: Readonly<Record<string, string>> = {
  "3.5.1": "2025-04-30",
  "3.5.2": "2025-04-30",
  "3.5.3": "2026-06-30",
  "3.5.4": "2027-03-31",
  "3.6.0": "2026-07-31",
};
const warnDays = 180;
const readable = "let the runner's role read DMS (dms:Describe*), then run preflight again";

/** The lines about DMS; `today` decides what has come to its end. */
export function dmsLines(
  dms: Fact<DmsFacts>,
  mongodb: Fact<MongodbFacts>,
  declared: DeclaredFacts,
  today: Date,
): PreflightLine[] {
  return [
    instances(dms, today),
    versions(dms, mongodb),
    quota(dms, declared, "tasks"),
    quota(dms, declared, "endpoints"),
    sourceEndpoint(dms, declared),
  ];
}

/** The endpoints of the declared tasks; all there are where none of the tasks exists yet. */
export function endpointsOf(
  { endpoints, tasks }: DmsFacts,
  { taskIds }: DeclaredFacts,
): readonly DmsEndpointFacts[] {
  const arns = new Set(tasks.filter(({ id }) => taskIds.includes(id)).flatMap((task) => task.endpointArns));
  return arns.size === 0 ? endpoints : endpoints.filter(({ arn }) => arns.has(arn));
}

function instances(dms: Fact<DmsFacts>, today: Date): PreflightLine {
  const question = new Question(
    "DMS",
    "replication instance",
    "one, available, of a supported engine version",
  );
  return question.of(dms, readable, ({ instances: all }) => {
    if (all.length === 0)
      return question.unknown("none", "apply the stack: Terraform makes the replication instance");
    const upgrade =
      "raise the engine version of the replication instance (dms engine_version), 3.6.1 or newer";
    const words = (each: (typeof all)[number]) => `${each.id} ${each.engineVersion} ${each.status}`;
    const ended = all.filter(({ engineVersion }) => daysLeft(engineVersion, today) < 0);
    if (ended.length > 0) return question.failed(`no longer supported: ${some(ended.map(words))}`, upgrade);
    const away = all.filter(({ status }) => status !== "available");
    if (away.length > 0)
      return question.failed(some(away.map(words)), "wait until it is available, or see why it is not");
    const ending = all.filter(({ engineVersion }) => daysLeft(engineVersion, today) < warnDays);
    if (ending.length === 0) return question.ok(some(all.map(words)));
    const until = ending.map(
      (each) => `${each.id} ${each.engineVersion} until ${endOfLife[each.engineVersion]}`,
    );
    return question.note(`supported, not for long: ${some(until)}`, upgrade);
  });
}

function daysLeft(version: string, today: Date): number {
  const end = endOfLife[version];
  if (end !== undefined) return (Date.parse(`${end}T23:59:59Z`) - today.getTime()) / 86_400_000;
  return compareVersions(version, "3.5.1") < 0 ? -1 : Number.POSITIVE_INFINITY;
}

function versions(dms: Fact<DmsFacts>, mongodb: Fact<MongodbFacts>): PreflightLine {
  const question = new Question("DMS", "reads this MongoDB", "an engine version made for MongoDB's version");
  const answerFirst = "make MongoDB answer the host first, then run preflight again";
  return question.of(dms, readable, ({ instances: all }) =>
    question.of(mongodb, answerFirst, ({ version }) => {
      if (all.length === 0) return question.unknown("no replication instance", "apply the stack first");
      const row = sourceVersions.find((each) => compareVersions(version, each.mongodb) >= 0);
      const old = all.filter(({ engineVersion }) => row && compareVersions(engineVersion, row.dms) < 0);
      const found = `MongoDB ${version}, DMS ${some([...new Set(all.map(({ engineVersion }) => engineVersion))])}`;
      if (old.length > 0)
        return question.failed(
          found,
          `raise the engine version of the replication instance to ${row?.dms} or newer`,
        );
      if (compareVersions(version, "8.1.0") < 0) return question.ok(found);
      return question.unknown(
        `${found}: newer than what DMS's documents name`,
        "see the DMS user guide for this version, and try one task first",
      );
    }),
  );
}

function sourceEndpoint(dms: Fact<DmsFacts>, declared: DeclaredFacts): PreflightLine {
  const question = new Question(
    "DMS",
    "source endpoint",
    "document mode, with _id, and a mechanism MongoDB has",
  );
  return question.of(dms, readable, (found) => {
    const sources = endpointsOf(found, declared).filter(
      ({ type, engine }) => type === "source" && engine === "mongodb",
    );
    if (sources.length === 0)
      return question.unknown("none", "apply the stack: Terraform makes the source endpoint");
    const wrong = sources.flatMap((each) => [
      ...(each.nestingLevel === "one" ? [`${each.id}: nesting level one (set NestingLevel none)`] : []),
      ...(each.extractDocId === "true" ? [] : [`${each.id}: no ExtractDocId (set it to true)`]),
      ...(each.authMechanism === "mongodb_cr"
        ? [`${each.id}: mongodb_cr, gone since MongoDB 4.0 (set scram_sha_1)`]
        : []),
    ]);
    if (wrong.length === 0) return question.ok(some(sources.map(({ id }) => id)));
    return question.failed(some(wrong), "set the MongoDbSettings of the source endpoint as named and apply");
  });
}
