/** Session commands. */

import { CLUSTER, need } from "../auth/privilege.ts";
import { Binary } from "../engine/value.ts";
import type { Command } from "../server/context.ts";

export const sessionCommands: Command[] = [
  {
    name: "startSession",
    fields: [],
    role: "any",
    run: () => {
      const id = Buffer.from(crypto.randomUUID().replaceAll("-", ""), "hex");
      return { id: { id: new Binary(id, 4) }, timeoutMinutes: 30 };
    },
  },
  {
    name: "endSessions",
    fields: [],
    role: "any",
    open: true,
    run(context) {
      context.server.sessions.end(context.array("endSessions") ?? [], context.connection.principal);
      return {};
    },
  },
  {
    name: "refreshSessions",
    fields: [],
    role: "any",
    run(context) {
      for (const lsid of context.array("refreshSessions") ?? [])
        context.server.sessions.use(lsid, context.connection.principal);
      return {};
    },
  },
  {
    name: "killSessions",
    fields: [],
    role: "any",
    run(context) {
      context.server.sessions.end(context.array("killSessions") ?? [], context.connection.principal);
      return {};
    },
  },
  {
    name: "killAllSessions",
    fields: [],
    role: "any",
    needs: () => [need(CLUSTER, "killAnySession")],
    run(context) {
      context.server.sessions.endAll();
      return {};
    },
  },
];
