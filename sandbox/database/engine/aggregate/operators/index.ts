/** Registers every expression operator with the parser. */
import { registerOperators } from "../expression.ts";
import { arithmeticOperators } from "./arithmetic.ts";
import { arrayOperators } from "./array.ts";
import { arrayLoopOperators } from "./array-loops.ts";
import { booleanOperators } from "./boolean.ts";
import { convertOperators } from "./convert.ts";
import { dateArithmeticOperators } from "./date-arithmetic.ts";
import { dateOperators } from "./dates.ts";
import { objectOperators } from "./object.ts";
import { setOperators } from "./sets.ts";
import { statisticsOperators } from "./statistics.ts";
import { stringOperators } from "./strings.ts";

for (const operators of [
  arithmeticOperators,
  arrayOperators,
  arrayLoopOperators,
  booleanOperators,
  convertOperators,
  dateOperators,
  dateArithmeticOperators,
  objectOperators,
  setOperators,
  statisticsOperators,
  stringOperators,
]) {
  registerOperators(operators);
}
