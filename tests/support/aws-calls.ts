import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

/** One call of the AWS SDK in the product's source. */
export interface AwsCall {
  /** The IAM action it needs, such as `s3:GetObject`. */
  readonly action: string;
  /** The SDK's command, such as `HeadObject`. */
  readonly command: string;
  /** File of the call, from the repository's root. */
  readonly file: string;
}

const repository = join(import.meta.dirname, "../..");

/** IAM's name of each service. */
const prefixes: Readonly<Record<string, string>> = {
  "@aws-sdk/client-database-migration-service": "dms",
  "@aws-sdk/client-ec2": "ec2",
  "@aws-sdk/client-lambda": "lambda",
  "@aws-sdk/client-s3": "s3",
  "@aws-sdk/client-secrets-manager": "secretsmanager",
  "@aws-sdk/client-ssm": "ssm",
};

/** Commands whose action has another name: Service Authorization Reference, "Actions defined by Amazon S3" and "AWS Lambda". */
const otherNames: Readonly<Record<string, string>> = {
  "s3:HeadObject": "s3:GetObject",
  "s3:HeadBucket": "s3:ListBucket",
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:DeleteObjects": "s3:DeleteObject",
  "s3:CreateMultipartUpload": "s3:PutObject",
  "s3:UploadPart": "s3:PutObject",
  "s3:CompleteMultipartUpload": "s3:PutObject",
  "lambda:Invoke": "lambda:InvokeFunction",
};

/** Where code is looked at: a top-level statement, or a member of a class. */
type Unit = ts.Node;

/**
 * The AWS calls a program can make: what is reachable from the exports of its entry file, by function and method; a call through an
 * interface reaches every class that fits it. Calls are found in the source, so one more in the code is one more here.
 */
export async function awsCallsOf(entry: string): Promise<AwsCall[]> {
  const calls = new Map<string, AwsCall>();
  // Of a class its members count, each when it is reached.
  for (const unit of new Reach(programOf(entry)).from(entry))
    if (!ts.isClassDeclaration(unit))
      for (const call of await callsIn(unit)) calls.set(`${call.command} ${call.file}`, call);
  return [...calls.values()].sort((left, right) => (left.action < right.action ? -1 : 1));
}

/** The product's own files and the language's library: packages are left out, their types are not needed. */
function programOf(entry: string): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => {
      const file = resolve(dirname(from), text);
      if (!text.startsWith(".") || !file.endsWith(".ts") || !existsSync(file))
        return { resolvedModule: undefined };
      return { resolvedModule: { resolvedFileName: file, extension: ts.Extension.Ts } };
    });
  return ts.createProgram([join(repository, entry)], options, host);
}

class Reach {
  readonly #checker: ts.TypeChecker;
  readonly #classes: ts.ClassLikeDeclaration[] = [];
  readonly #reached = new Set<Unit>();
  readonly #waiting: Unit[] = [];

  constructor(private readonly program: ts.Program) {
    this.#checker = program.getTypeChecker();
    for (const file of program.getSourceFiles())
      if (isOwn(file))
        walk(file, (node) => {
          if (ts.isClassLike(node)) this.#classes.push(node);
        });
  }

  from(entry: string): ReadonlySet<Unit> {
    this.#addFile(this.program.getSourceFile(join(repository, entry))!);
    for (let unit = this.#waiting.pop(); unit; unit = this.#waiting.pop())
      walk(unit, (node) => this.#follow(node));
    return this.#reached;
  }

  #follow(node: ts.Node): void {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const symbol = this.#checker.getSymbolAtLocation(node.arguments[0]!);
      const file = symbol?.valueDeclaration;
      if (file && ts.isSourceFile(file)) this.#addFile(file);
    }
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node)) return;
    if (isTypeOnly(node)) return;
    let symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.#checker.getSymbolAtLocation(node);
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = this.#checker.getAliasedSymbol(symbol);
    for (const declaration of symbol?.declarations ?? []) this.#addDeclaration(declaration);
  }

  #addDeclaration(declaration: ts.Declaration): void {
    if (!isOwn(declaration.getSourceFile())) return;
    const owner = declaration.parent;
    const member = ts.isMethodSignature(declaration) || ts.isPropertySignature(declaration);
    if (member && (ts.isInterfaceDeclaration(owner) || ts.isTypeLiteralNode(owner)))
      this.#addImplementations(owner, declaration.name.getText());
    else this.#add(unitOf(declaration));
  }

  /** Every class that fits the interface may be what is called. */
  #addImplementations(contract: ts.Node, name: string): void {
    const expected = this.#checker.getTypeAtLocation(contract);
    for (const each of this.#classes) {
      const method = each.members.find((member) => member.name?.getText() === name);
      if (!method || this.#reached.has(method)) continue;
      if (this.#checker.isTypeAssignableTo(this.#checker.getTypeAtLocation(each), expected))
        this.#add(method);
    }
  }

  #addFile(file: ts.SourceFile): void {
    for (const statement of file.statements) {
      if (!ts.isClassDeclaration(statement)) this.#add(statement);
      else for (const member of statement.members) this.#add(member);
    }
  }

  #add(unit: Unit | undefined): void {
    if (!unit || this.#reached.has(unit)) return;
    this.#reached.add(unit);
    if (!ts.isClassDeclaration(unit)) this.#waiting.push(unit);
    // A class that is named may be made: its constructor and its fields run, its methods wait until they are called.
    else
      for (const member of unit.members)
        if (ts.isConstructorDeclaration(member) || ts.isPropertyDeclaration(member)) this.#add(member);
  }
}

function isOwn(file: ts.SourceFile): boolean {
  return file.fileName.startsWith(`${repository}/`) && !file.fileName.includes("/node_modules/");
}

function isTypeOnly(node: ts.Node): boolean {
  for (let at: ts.Node = node; at && !ts.isStatement(at); at = at.parent)
    if (ts.isTypeNode(at) && !ts.isExpressionWithTypeArguments(at)) return true;
  return false;
}

/** The class member or top-level statement around a declaration. */
function unitOf(declaration: ts.Node): Unit | undefined {
  let unit: ts.Node = declaration;
  while (!ts.isSourceFile(unit.parent)) {
    if (ts.isClassElement(unit) && ts.isClassDeclaration(unit.parent)) return unit;
    unit = unit.parent;
  }
  return ts.isImportDeclaration(unit) || ts.isInterfaceDeclaration(unit) ? undefined : unit;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

async function callsIn(unit: Unit): Promise<AwsCall[]> {
  const file = unit.getSourceFile();
  const names = new Set<string>();
  walk(unit, (node) => {
    if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return;
    const called = node.expression.getText().replace(/^.*\./, "");
    const [, made, paged] = /^(?:(\w+)Command|paginate(\w+))$/.exec(called) ?? [];
    if (ts.isNewExpression(node) && made) names.add(made);
    if (ts.isCallExpression(node) && paged) names.add(paged);
  });
  const path = file.fileName.slice(repository.length + 1);
  return Promise.all(
    [...names].map(async (command) => ({
      action: await actionOf(command, file.fileName),
      command,
      file: path,
    })),
  );
}

/** The action of a command, by the package of the file's that has it. */
async function actionOf(command: string, file: string): Promise<string> {
  const packages = new Set(
    [...readFileSync(file, "utf8").matchAll(/"(@aws-sdk\/client-[\w-]+)"/g)].map(([, name]) => name!),
  );
  for (const name of packages) {
    const sdk = (await import(name)) as Record<string, unknown>;
    if (!(`${command}Command` in sdk)) continue;
    const prefix = prefixes[name];
    if (!prefix) throw new Error(`${file}: ${name} has no name in IAM here yet`);
    return otherNames[`${prefix}:${command}`] ?? `${prefix}:${command}`;
  }
  throw new Error(`${file}: ${command} is of none of ${[...packages].join(", ") || "no AWS package"}`);
}
