/** Aggregation. */
import "./operators/index.ts";
import "./stages/index.ts";

export { compileExpression, makeContext } from "./expression.ts";
export {
  checkStageName,
  compilePipeline,
  leadingMatch,
  type MergeTarget,
  type OutTarget,
  type PipelineContext,
  runPipeline,
} from "./pipeline.ts";
