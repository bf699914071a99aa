/** Registers every expression operator with the parser. */
import { registerOperators } from "../expression.ts";
import { booleanOperators } from "./boolean.ts";

registerOperators(booleanOperators);
