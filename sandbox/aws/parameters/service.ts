import { flag, type Input, pageOf, requiredText, tagList, tagsOf, textList } from "../input.ts";
import { AwsError, type JsonService, type Service } from "../service.ts";
import { described, metadata } from "./describe.ts";
import { put } from "./put.ts";
import { applyFilters, byPath, find, getMany, history, notFound } from "./read.ts";
import { ParameterStore } from "./store.ts";

class ParameterService implements JsonService {
  readonly kind = "json";
  readonly name = "ssm";
  readonly targetPrefix = "AmazonSSM";
  private store!: ParameterStore;

  start({ db }: { db: ConstructorParameters<typeof ParameterStore>[0] }): void {
    this.store = new ParameterStore(db);
  }

  readonly operations: JsonService["operations"] = {
    PutParameter: (input, context) => put(this.store, input, context),
    GetParameter: (input, context) => {
      const name = requiredText(input, "Name");
      const { parameter, selector } = find(this.store, name);
      if (parameter === undefined) throw notFound(name);
      return { Parameter: described(parameter, context, flag(input, "WithDecryption"), selector) };
    },
    GetParameters: (input, context) => getMany(this.store, input, context),
    GetParametersByPath: (input, context) => byPath(this.store, input, context),
    GetParameterHistory: (input, context) => history(this.store, input, context),
    DescribeParameters: (input, context) => {
      const { page, NextToken } = pageOf(applyFilters(this.store.all(), input), input, 50);
      return { Parameters: page.map((each) => metadata(each, context)), NextToken };
    },
    DeleteParameter: (input) => {
      const name = requiredText(input, "Name");
      if (!this.store.remove(name)) throw notFound(name);
      return {};
    },
    DeleteParameters: (input) => {
      const names = textList(input, "Names");
      const deleted = names.filter((name) => this.store.remove(name));
      return {
        DeletedParameters: deleted,
        InvalidParameters: names.filter((name) => !deleted.includes(name)),
      };
    },
    AddTagsToResource: (input) => {
      const resource = this.resource(input);
      this.store.setTags(resource, { ...this.store.tags(resource), ...tagsOf(input) });
      return {};
    },
    RemoveTagsFromResource: (input) => {
      const resource = this.resource(input);
      const removed = textList(input, "TagKeys");
      const kept = Object.entries(this.store.tags(resource)).filter(([key]) => !removed.includes(key));
      this.store.setTags(resource, Object.fromEntries(kept));
      return {};
    },
    ListTagsForResource: (input) => ({ TagList: tagList(this.store.tags(this.resource(input))) }),
  };

  /** Tags of documents and instances are kept as well; only a parameter's existence is checked. */
  private resource(input: Input): string {
    const type = requiredText(input, "ResourceType");
    const id = requiredText(input, "ResourceId");
    if (type === "Parameter" && this.store.latest(id) === undefined)
      throw new AwsError("InvalidResourceId", `no parameter ${id}`);
    return `${type}/${id}`;
  }
}

/** SSM Parameter Store. Shares the target prefix with the commands and documents of `../ssm`. */
export function create(): Service[] {
  return [new ParameterService()];
}
