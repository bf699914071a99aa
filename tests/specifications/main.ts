/** The drivers' unified specification tests over the npm driver against the database stand-in; see README.md. */
import { parseArgs } from "node:util";
import { type Area, allAreas, areas } from "./areas.ts";
import { asText } from "./report.ts";
import { runAreas } from "./run-areas.ts";

const help = `usage: SPECIFICATIONS=DIR bun tests/specifications/main.ts [options]

  --area NAME   one of ${allAreas.join(", ")}; may be repeated (default: all)
  --file TEXT   only files whose path holds TEXT
  --test TEXT   only cases whose description holds TEXT
  --json        one JSON document on standard output, text on standard error

SPECIFICATIONS is the folder source/ of a checkout of mongodb/specifications. MONGOD=/path/to/mongod runs a real server.
Exit codes: 0 every applicable case passed, 1 some failed, 2 wrong usage.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      area: { type: "string", multiple: true },
      file: { type: "string" },
      test: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const root = process.env.SPECIFICATIONS;
  const unknown = values.area?.find((area) => !(area in areas));
  if (!root || unknown) {
    console.error(`${root ? `--area ${unknown}: no such area` : "SPECIFICATIONS isn't set"}\n\n${help}`);
    return 2;
  }
  const print = values.json ? console.error : console.log;
  const reports = await runAreas({
    root,
    areas: (values.area as Area[] | undefined) ?? allAreas,
    file: values.file,
    test: values.test,
    onArea: (report) => print(asText(report)),
  });
  if (values.json) console.log(JSON.stringify(reports, undefined, 1));
  return reports.some(({ failed }) => failed > 0) ? 1 : 0;
}

process.exit(await main());
