import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

/** Where code is looked at: a top-level statement, or a member of a class. */
type Unit = ts.Node;

/**
 * The code a program can come to, from the exports of its entry file on, by function and method; a call through an interface
 * reaches every class that fits it, and of a class only what is called. `entry` is a path below `root`; packages are not followed,
 * nor are the files of `without` (paths below `root`) where they are loaded when needed.
 */
export function reachableCode(root: string, entry: string, without: readonly string[] = []): ts.Node[] {
  const reached = new Reach(root, programOf(root, entry), without).from(entry);
  return [...reached].filter((unit) => !ts.isClassDeclaration(unit));
}

/** Files that were parsed once, the language's library above all: programs share most of theirs. */
const parsed = new Map<string, ts.SourceFile>();

/** The product's own files and the language's library: packages are left out, their types are not needed. */
function programOf(root: string, entry: string): ts.Program {
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
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...more) => {
    const file = parsed.get(path) ?? read(path, ...more);
    if (file) parsed.set(path, file);
    return file;
  };
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => {
      const file = resolve(dirname(from), text);
      if (!text.startsWith(".") || !file.endsWith(".ts") || !existsSync(file))
        return { resolvedModule: undefined };
      return { resolvedModule: { resolvedFileName: file, extension: ts.Extension.Ts } };
    });
  return ts.createProgram([join(root, entry)], options, host);
}

class Reach {
  readonly #checker: ts.TypeChecker;
  readonly #classes: ts.ClassLikeDeclaration[] = [];
  readonly #reached = new Set<Unit>();
  readonly #waiting: Unit[] = [];

  constructor(
    private readonly root: string,
    private readonly program: ts.Program,
    private readonly without: readonly string[],
  ) {
    this.#checker = program.getTypeChecker();
    for (const file of program.getSourceFiles())
      if (this.#isOwn(file))
        walk(file, (node) => {
          if (ts.isClassLike(node)) this.#classes.push(node);
        });
  }

  from(entry: string): ReadonlySet<Unit> {
    this.#addFile(this.program.getSourceFile(join(this.root, entry))!);
    for (let unit = this.#waiting.pop(); unit; unit = this.#waiting.pop())
      walk(unit, (node) => this.#follow(node));
    return this.#reached;
  }

  #follow(node: ts.Node): void {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const symbol = this.#checker.getSymbolAtLocation(node.arguments[0]!);
      const file = symbol?.valueDeclaration;
      if (file && ts.isSourceFile(file) && !this.#isLeftOut(file)) this.#load(node, file);
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
    if (!this.#isOwn(declaration.getSourceFile())) return;
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

  #isOwn(file: ts.SourceFile): boolean {
    return file.fileName.startsWith(`${this.root}/`) && !file.fileName.includes("/node_modules/");
  }

  /** A file that is loaded runs; of what it exports only what is taken by name is reached, all of it where nothing is named. */
  #load(call: ts.CallExpression, file: ts.SourceFile): void {
    const taken = takenByName(call);
    if (!taken) {
      this.#addFile(file);
      return;
    }
    const exports = this.#checker.getTypeAtLocation(taken.from);
    for (const name of taken.names)
      for (const declaration of exports.getProperty(name)?.declarations ?? [])
        this.#addDeclaration(declaration);
    for (const statement of file.statements) if (!isDefinition(statement)) this.#add(statement);
  }

  #isLeftOut(file: ts.SourceFile): boolean {
    return this.without.includes(file.fileName.slice(this.root.length + 1));
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

/** The names in `const { a, b } = await import("…")`; undefined for any other way of loading. */
function takenByName(call: ts.CallExpression): { names: string[]; from: ts.Expression } | undefined {
  const from = call.parent;
  if (!ts.isAwaitExpression(from) || !ts.isVariableDeclaration(from.parent)) return undefined;
  const pattern = from.parent.name;
  if (!ts.isObjectBindingPattern(pattern)) return undefined;
  return { names: pattern.elements.map((each) => (each.propertyName ?? each.name).getText()), from };
}

/** A statement that does nothing when its file is loaded. */
function isDefinition(statement: ts.Statement): boolean {
  return (
    ts.isImportDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  );
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

/** Visits a node and everything in it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}
