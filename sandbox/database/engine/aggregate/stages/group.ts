import { type Collator, compareValues } from "../../compare.ts";
import { ServerError } from "../../errors.ts";
import { keyOf } from "../../keystring.ts";
import { type Document, Int32, type Value } from "../../value.ts";
import {
  type Accumulator,
  type CompiledAccumulator,
  compileAccumulator,
  isAccumulator,
} from "../accumulators.ts";
import { compileExpression, type Expression, type ExpressionContext } from "../expression.ts";
import type { Stage, StageCompiler } from "../pipeline.ts";

export interface OutputField {
  name: string;
  accumulator: CompiledAccumulator;
}

interface Group {
  id: Value;
  accumulators: Accumulator[];
}

export function compileField(name: string, value: Value, context: ExpressionContext): OutputField {
  if (name.includes(".")) throw new ServerError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith("$"))
    throw new ServerError(40236, `The field name '${name}' cannot be an operator name`);
  if (!(value instanceof Map) || value.size === 0)
    throw new ServerError(40234, `The field '${name}' must be an accumulator object`);
  if (value.size > 1) throw new ServerError(40238, `The field '${name}' must specify one accumulator`);
  const [[operator, operand]] = [...value] as [[string, Value]];
  if (operator === "$accumulator" || operator === "$function") {
    throw new ServerError(5187000, `${operator} not supported without a JavaScript engine`);
  }
  if (!isAccumulator(operator)) throw new ServerError(15952, `unknown group operator '${operator}'`);
  return { name, accumulator: compileAccumulator(operator, operand, context) };
}

/** Groups by value: with a collation strings that compare equal are one. */
class Groups {
  private readonly byKey = new Map<string, Group>();
  private readonly list: Group[] = [];
  private readonly fields: OutputField[];
  private readonly collation: Collator | undefined;

  constructor(fields: OutputField[], collation: Collator | undefined) {
    this.fields = fields;
    this.collation = collation;
  }

  private find(id: Value): Group {
    if (this.collation === undefined) {
      const key = typeof id === "string" ? `s${id}` : Buffer.from(keyOf([id])).toString("latin1");
      let group = this.byKey.get(key);
      if (group === undefined) {
        group = this.make(id);
        this.byKey.set(key, group);
      }
      return group;
    }
    return this.list.find((group) => compareValues(group.id, id, this.collation) === 0) ?? this.make(id);
  }

  private make(id: Value): Group {
    const group = { id, accumulators: this.fields.map(({ accumulator }) => accumulator.create()) };
    this.list.push(group);
    return group;
  }

  add(id: Value, document: Document): void {
    const { accumulators } = this.find(id);
    for (let i = 0; i < accumulators.length; i++) {
      accumulators[i]!.add(this.fields[i]!.accumulator.argument(document), document);
    }
  }

  *results(): Generator<Document> {
    for (const { id, accumulators } of this.list) yield outputOf(id, this.fields, accumulators);
  }
}

export function outputOf(id: Value, fields: OutputField[], accumulators: Accumulator[]): Document {
  const result: Document = new Map([["_id", id]]);
  fields.forEach(({ name }, index) => {
    const value = accumulators[index]!.result();
    if (value !== undefined) result.set(name, value);
  });
  return result;
}

export function groupStage(id: Expression, fields: OutputField[], collation: Collator | undefined): Stage {
  return function* run(input) {
    const groups = new Groups(fields, collation);
    for (const document of input) groups.add(id(document) ?? null, document);
    yield* groups.results();
  };
}

const group: StageCompiler = (specification, { expressions, collation }) => {
  if (!(specification instanceof Map))
    throw new ServerError(15947, "a group's fields must be specified in an object");
  let id: Expression | undefined;
  const fields: OutputField[] = [];
  for (const [name, value] of specification) {
    if (name === "_id") id = compileExpression(value, expressions);
    else if (name !== "$doingMerge") fields.push(compileField(name, value, expressions));
  }
  if (id === undefined) throw new ServerError(15955, "a group specification must include an _id");
  return groupStage(id, fields, collation);
};

const sortByCount: StageCompiler = (specification, { expressions, collation }) => {
  const isField = typeof specification === "string" && specification.startsWith("$");
  if (!isField && !(specification instanceof Map)) {
    throw new ServerError(
      40149,
      "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
    );
  }
  const fields = [compileField("count", new Map([["$sum", new Int32(1)]]), expressions)];
  const grouped = groupStage(compileExpression(specification, expressions), fields, collation);
  return function* run(input) {
    yield* [...grouped(input)].sort((a, b) => compareValues(b.get("count")!, a.get("count")!));
  };
};

export const groupStages: Record<string, StageCompiler> = {
  $group: group,
  $sortByCount: sortByCount,
};
