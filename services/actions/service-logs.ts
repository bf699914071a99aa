import { readUnitJournal } from "../../adapters/systemd/journal.ts";
import { type Action, passed } from "./action.ts";

/** SSM cuts a command's output at 24,000 characters: what is older than that is left out, and said so. */
const charactersMax = 20_000;

/** The end of a unit's journal. */
export const run: Action = async ({ parameter }) => {
  const unit = parameter("unit");
  const lines = await readUnitJournal(unit, Number(parameter("lines")));
  const shown: string[] = [];
  let characters = 0;
  for (const line of lines.toReversed()) {
    characters += JSON.stringify(line).length;
    if (characters > charactersMax) break;
    shown.unshift(line);
  }
  return {
    checks: [passed(`journal of ${unit}`, "shown", `${shown.length} of ${lines.length} lines`)],
    data: { unit, journal: shown.join("\n"), leftOut: lines.length - shown.length },
  };
};
