import { type Comment, parseSync, type Program, type StaticExport, type StaticImport } from 'oxc-parser';

export interface ExportedName {
  readonly name: string;
  readonly kind: 'value' | 'type';
  /** Where the statement that declares it begins: its line, from 1, and its offset. */
  readonly line: number;
  readonly offset: number;
  /** A doc comment stands directly before it. */
  readonly isDocumented: boolean;
}

export interface ImportedModule {
  readonly specifier: string;
  /** The names that are passed on; `*` for all of them. Empty for a plain import. */
  readonly reexports: readonly string[];
}

export interface SourceModule {
  /** Relative to the project, with slashes. */
  readonly path: string;
  /** What is declared here. What is only passed on from elsewhere stands in `imports`. */
  readonly exports: readonly ExportedName[];
  readonly imports: readonly ImportedModule[];
  /** Its exports and imports are calls that only running it would show: none of them are listed. */
  readonly isCommonJs: boolean;
  /** The lines that hold code which can run: no blanks, no comments, no types. */
  readonly codeLines: readonly number[];
}

/** Reads one module. Throws a SyntaxError with the first mistake where it is no valid JavaScript or TypeScript. */
export function parseModule(path: string, text: string): SourceModule {
  const { program, module, comments, errors } = parseSync(path, text);
  const [mistake] = errors;
  if (mistake !== undefined) throw new SyntaxError(`${path}: ${mistake.message}`);
  return {
    path,
    exports: module.staticExports.flatMap((statement) => exportsOf(statement, { text, program, comments })),
    imports: importsOf(module.staticImports, module.staticExports),
    isCommonJs: !module.hasModuleSyntax && /\b(module\.exports|exports\.\w+\s*=|require\()/.test(text),
    codeLines: findCodeLines(text, program, comments),
  };
}

/** The text without its comments and blanks: equal for two texts that differ in nothing that runs. */
export function withoutComments(path: string, text: string): string {
  const { comments } = parseSync(path, text);
  return blank(text, comments).replaceAll(/\s+/g, ' ').trim();
}

interface Parsed {
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
}

function exportsOf({ entries, start }: StaticExport, { text, program, comments }: Parsed): ExportedName[] {
  return entries.flatMap(({ exportName, localName, moduleRequest, isType }) => {
    // A default export is the one kind without a name of its own.
    const name = exportName.name ?? (exportName.kind.toString() === 'Default' ? 'default' : null);
    if (moduleRequest !== null || name === null) return [];
    // `export { a }` declares nothing: the comment belongs to where `a` is declared.
    const offset = findDeclaration(program, localName.name) ?? start;
    return [
      { name, kind: isType ? 'type' : 'value', line: lineOf(text, offset), offset, isDocumented: hasDocComment(text, offset, comments) },
    ];
  });
}

function findDeclaration({ body }: Program, name: string | null): number | undefined {
  return body.find((statement) => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration === null) return false;
    if (declaration.type === 'VariableDeclaration')
      return declaration.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name);
    return 'id' in declaration && declaration.id !== null && 'name' in declaration.id && declaration.id.name === name;
  })?.start;
}

const hasDocComment = (text: string, offset: number, comments: readonly Comment[]): boolean =>
  comments.some(
    ({ type, value, end }) => type === 'Block' && value.startsWith('*') && end <= offset && text.slice(end, offset).trim() === '',
  );

function importsOf(imports: readonly StaticImport[], exports: readonly StaticExport[]): ImportedModule[] {
  const found = new Map<string, string[]>(imports.map(({ moduleRequest }) => [moduleRequest.value, []]));
  for (const { moduleRequest, exportName } of exports.flatMap(({ entries }) => entries)) {
    if (moduleRequest === null) continue;
    found.set(moduleRequest.value, [...(found.get(moduleRequest.value) ?? []), exportName.name ?? '*']);
  }
  return [...found].map(([specifier, reexports]) => ({ specifier, reexports }));
}

const typeStatements = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'TSDeclareFunction']);

function findCodeLines(text: string, { body }: Program, comments: readonly Comment[]): number[] {
  const types = body.filter((statement) => {
    if (statement.type === 'ImportDeclaration') return statement.importKind === 'type';
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    return declaration !== null && typeStatements.has(declaration.type);
  });
  return blank(text, [...comments, ...types])
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [index + 1]));
}

/** Spaces in place of the spans, so that every line stays where it is. */
function blank(text: string, spans: readonly { readonly start: number; readonly end: number }[]): string {
  let rest = text;
  for (const { start, end } of spans) rest = rest.slice(0, start) + rest.slice(start, end).replaceAll(/[^\n]/g, ' ') + rest.slice(end);
  return rest;
}

export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
