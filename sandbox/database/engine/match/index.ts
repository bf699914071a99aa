export { type BoundsOptions, filterBounds, type Interval } from "./bounds.ts";
export {
  compileElement,
  compileFilter,
  type FilterContext,
  isOperatorDocument,
  type MatchDetails,
  type Predicate,
} from "./filter.ts";
