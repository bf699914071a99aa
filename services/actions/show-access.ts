import type { Side } from "../../core/access/roles-record.ts";
import { rolesInWords } from "../../core/access/writers.ts";
import { RoundtripError } from "../../core/errors.ts";
import { environmentNow } from "../access/current-users.ts";
import { scopeDatabases, surveyDocumentdb } from "../access/survey.ts";
import { readClosing } from "../closing/closing.ts";
import { surveyMongodb } from "../closing/writers.ts";
import { type Action, type ActionContext, passed } from "./action.ts";

/** Who may write where, as both servers say now (invariants.md 25). A server that does not answer is said so. */
export const run: Action = async (context) => {
  const documentdb = await orUnreachable(() => documentdbWriters(context));
  const mongodb = await orUnreachable(() => mongodbWriters(context));
  const words = (side: Side, writers: readonly string[] | string) =>
    passed(
      `writers on ${side}`,
      "shown",
      typeof writers === "string" ? writers : writers.join("; ") || "nobody",
    );
  return {
    checks: [words("documentdb", documentdb), words("mongodb", mongodb)],
    data: { documentdb, mongodb },
  };
};

async function documentdbWriters({ service, failback, databases }: ActionContext): Promise<string[]> {
  const { access } = await databases.open("documentdb");
  const survey = await surveyDocumentdb(access, await environmentNow(service), failback.scope);
  return [...survey.listed, ...survey.unlisted, ...survey.administrators].map(
    ({ principal, through }) => `${principal.user} (${rolesInWords(through)})`,
  );
}

async function mongodbWriters({ service, failback, databases }: ActionContext): Promise<string[]> {
  const server = await databases.open("mongodb", { serverSelectionTimeoutMs: 3000 });
  const closing = await readClosing(service.store, failback.id);
  const blocked = closing?.method === "user-write-block" && closing.closedAt && !closing.reopenedAt;
  const { writers, administrators } = await surveyMongodb(server, scopeDatabases(failback.scope));
  return [...writers.map(({ user }) => (blocked ? `${user} (blocked)` : user)), ...administrators];
}

async function orUnreachable(run: () => Promise<string[]>): Promise<string[] | string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "unavailable") return "does not answer";
    throw error;
  }
}
