import type { SourceNames } from "../tasks/import-rules.ts";
import type { EnvironmentName } from "../tasks/model.ts";
import { importedResources, importText, movedText, removedText, type Taken, takenOver } from "./blocks.ts";
import { readmeText } from "./readme.ts";
import { keptText, mainText, type Variables, variablesText, versionsText } from "./root.ts";
import { findSetup, type OldSetup } from "./setup.ts";
import { readState, type StateObject } from "./state.ts";
import { commonTags, tagsOf } from "./tags.ts";
import { adoptTasks } from "./tasks.ts";

export interface AdoptInput {
  /** `terraform show -json` of the old root. */
  readonly state: string;
  /** The old dmsReplicationTasks.json, and its name. */
  readonly tasks: string;
  readonly tasksFile: string;
  readonly environment: EnvironmentName;
  /** The folder of roundtrip's modules, as the new root names it. */
  readonly modules: string;
  /** The new root goes on with the old root's state. */
  readonly sameState: boolean;
  readonly names?: SourceNames;
}

export interface Adoption {
  /** Content by path below the new root's folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly taken: readonly { readonly from: string; readonly to: string }[];
  /** Addresses that stay in the old root. */
  readonly stays: readonly string[];
  /** Carried over, in another way than before. */
  readonly notes: readonly string[];
  /** Not carried over, or not without a load. */
  readonly losses: readonly string[];
}

/**
 * What takes an old set-up over: the files of the new root and what a person has to know. Pure; nothing of it is a secret.
 * Fails `configuration` for input that can't be read, `refused` for a set-up the modules can't say.
 */
export function adopt(input: AdoptInput): Adoption {
  const state = readState(input.state);
  const setup = findSetup(state);
  const { environment, sameState, modules } = input;
  const adopted = adoptTasks({
    setup,
    text: input.tasks,
    file: input.tasksFile,
    environment,
    ...(input.names ? { names: input.names } : {}),
  });
  const names = moduleNames(state);
  const taken = takenOver(setup, names.dms);
  const imported = importedResources(taken, sameState);
  const [toImport, toMove] = partition(taken, ({ object }) => imported.has(object.address.resource));
  const variables: Variables = new Map();
  const main = mainText({ setup, environment, modules, names, sameState }, variables);
  const forgotten = setup.others.filter(({ address }) => imported.has(address.resource));
  const stays = setup.others.filter((each) => !forgotten.includes(each)).map(({ address }) => address.text);
  const notes = [...adopted.notes, ...forgotten.map(forgottenNote), ...tagNotes(setup)];
  const readme = readmeText({
    setup,
    environment,
    sameState,
    imported: [...imported],
    importedCount: toImport.length,
    movedCount: toMove.length,
    variables,
    stays,
    notes,
    losses: adopted.losses,
  });
  return {
    files: {
      "tasks.yaml": adopted.text,
      "adopted.json": keptText(setup, adopted.kept),
      "main.tf": main,
      "variables.tf": variablesText(variables),
      ...(sameState ? {} : { "versions.tf": versionsText(setup.source.text("endpoint_arn") ?? "") }),
      "import.tf": importText(toImport),
      ...(toMove.length > 0 ? { "moved.tf": movedText(toMove) } : {}),
      [sameState ? "removed.tf" : "forget/removed.tf"]: removedText(imported),
      "README.md": readme,
    },
    taken: taken.map(({ object, to }: Taken) => ({ from: object.address.text, to })),
    stays,
    notes,
    losses: adopted.losses,
  };
}

/** The usual names, or longer ones where the old root has modules of these names. */
function moduleNames(state: readonly StateObject[]): { dms: string; taskConfig: string } {
  const used = new Set(state.map(({ address }) => address.module.split(".")[1]));
  const free = (name: string) => (used.has(name) ? `roundtrip_${name}` : name);
  return { dms: free("dms"), taskConfig: free("task_config") };
}

function forgottenNote({ address }: StateObject): string {
  return `${address.text} belongs to no task, and Terraform lets go of it with its neighbours: delete it by hand when nothing needs it`;
}

/** Tags the module gives to all alike; an object's own ones would go. */
function tagNotes({ source, targets, tasks }: OldSetup): string[] {
  const objects = [source, ...targets, ...tasks.map(({ object }) => object)];
  const common = commonTags(objects);
  return objects.flatMap((object) => {
    const own = Object.keys(tagsOf(object)).filter((key) => !Object.hasOwn(common, key));
    return own.length > 0
      ? [`${object.address.text}: its own tags go (${own.join(", ")}); no task is touched by that`]
      : [];
  });
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
