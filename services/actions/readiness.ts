import type { HostReadiness } from "../../core/readiness/model.ts";
import { productVersion } from "../../core/version.ts";
import { documentdbFacts } from "../readiness/documentdb.ts";
import { factOf, findOut } from "../readiness/facts.ts";
import { mongodbFacts } from "../readiness/mongodb.ts";
import { secretFacts } from "../readiness/secrets.ts";
import { type Action, passed } from "./action.ts";
import { diskCheck } from "./disk-check.ts";
import { retentionCheck } from "./retention-check.ts";

/**
 * What the host can say to "could we fail back now?". Succeeds whatever it finds: the facts are the result. Writes
 * nothing but the refreshed identity of MongoDB, in normal times only.
 */
export const run: Action = async (context) => {
  const { service, parameter } = context;
  const databases = parameter("databases").split(",");
  const mongodb = await mongodbFacts(context, databases);
  const facts = [
    ...mongodb.facts,
    ...(await documentdbFacts(context, databases, mongodb.identity)),
    ...(await secretFacts(context)),
    factOf(retentionCheck(service.environment)),
    ...(await findOut("disk of the host", "room for what a failback keeps there", async () =>
      factOf(await diskCheck(service.stateDirectory)),
    )),
  ];
  const readiness: HostReadiness = {
    version: 1,
    workerVersion: productVersion(),
    facts,
    ...(mongodb.oplog ? { oplog: mongodb.oplog } : {}),
  };
  const failing = facts.filter(({ state }) => state !== "holds").length;
  return {
    checks: [
      passed(
        "readiness looked at",
        "every fact found out or named",
        `${facts.length} facts, ${failing} that don't hold`,
      ),
    ],
    data: { ...readiness },
  };
};
