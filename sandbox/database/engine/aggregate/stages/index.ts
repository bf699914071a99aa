/** Registers every stage with the pipeline compiler. */
import { registerStages } from "../pipeline.ts";
import { basicStages } from "./basic.ts";
import { bucketStages } from "./bucket.ts";
import { fillStages } from "./fill.ts";
import { graphLookupStages } from "./graph-lookup.ts";
import { groupStages } from "./group.ts";
import { lookupStages } from "./lookup.ts";
import { outputStages } from "./output.ts";
import { subPipelineStages } from "./sub-pipeline.ts";
import { windowStages } from "./window.ts";

for (const stages of [
  basicStages,
  bucketStages,
  fillStages,
  graphLookupStages,
  groupStages,
  lookupStages,
  outputStages,
  subPipelineStages,
  windowStages,
]) {
  registerStages(stages);
}
