export { filterBounds, type Interval } from "./bounds.ts";
export { validationErrorInfo } from "./explain.ts";
export {
  compileElement,
  compileFilter,
  type FilterContext,
  isOperatorDocument,
  type MatchDetails,
  type Predicate,
} from "./filter.ts";
