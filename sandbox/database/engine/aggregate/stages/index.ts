/** Registers every stage with the pipeline compiler. */
import { registerStages } from "../pipeline.ts";
import { basicStages } from "./basic.ts";
import { fillStages } from "./fill.ts";
import { groupStages } from "./group.ts";
import { joinStages } from "./join.ts";
import { outputStages } from "./output.ts";
import { windowStages } from "./window.ts";

for (const stages of [basicStages, groupStages, joinStages, outputStages, windowStages, fillStages])
  registerStages(stages);
