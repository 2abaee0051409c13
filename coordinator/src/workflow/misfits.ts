import type { FieldProblem, JsonObject } from '@baton/protocol';
import { digestOf } from '../artifact/digest.ts';
import type { SchemaChecker } from '../artifact/schema-checker.ts';
import type { SchemaFault } from '../artifact/content-schema.ts';

/** The configuration of a validator, with its field. */
export interface Configured {
  readonly path: string;
  readonly use: string;
  readonly config: JsonObject;
}

/** What of a workflow can be judged only by compiling what users wrote, each with its field. */
export interface Written {
  readonly patterns: readonly { readonly path: string; readonly pattern: string }[];
  readonly schemas: readonly { readonly path: string; readonly schema: JsonObject }[];
  readonly configs: readonly Configured[];
}

/** JSON Schemas of what validators take as their configuration, by name, as the manifests of their plugins say. */
export type ConfigSchemas = ReadonlyMap<string, JsonObject>;

/**
 * The patterns and schemas that nothing could be held against, and the configurations that a validator would not take. All is
 * compiled in the thread for schemas, within its limits. Takes its time: never to be waited for inside a transaction.
 */
export async function findMisfits(
  written: Written,
  configSchemas: ConfigSchemas,
  checker: Pick<SchemaChecker, 'ask'>,
): Promise<FieldProblem[]> {
  const problems = await findUnreadable(written, checker);
  for (const [use, configs] of Map.groupBy(written.configs, (configured) => configured.use)) {
    const schema = configSchemas.get(use);
    if (schema === undefined) continue;
    const answer = await checker.ask({ key: digestOf(schema).sha256, schema, configs });
    // The schema is the plugin's, and whoever wrote the workflow could not mend it: the validator tells when it runs.
    if ('faults' in answer) problems.push(...toProblems(answer.faults, use));
  }
  return problems;
}

async function findUnreadable({ patterns, schemas }: Written, checker: Pick<SchemaChecker, 'ask'>): Promise<FieldProblem[]> {
  const [first] = [...schemas, ...patterns];
  if (first === undefined) return [];
  const answer = await checker.ask({ patterns, schemas });
  if ('faults' in answer) return answer.faults.map(({ path, message }) => ({ path, message }));
  const message = `The schemas and patterns of the workflow cannot be compiled: ${answer.failed}. Write simpler ones.`;
  return [{ path: first.path, message }];
}

/** One for each field: of alternatives none of which fits, each has its fault. */
function toProblems(faults: readonly SchemaFault[], use: string): FieldProblem[] {
  const byField = Map.groupBy(faults, ({ path, extra }) => `${toField(path)}${extra === undefined ? '' : `.${extra.property}`}`);
  return [...byField].map(([path, [first, ...others]]) => ({
    path,
    message:
      first?.extra === undefined
        ? `The validator ${use} does not take this: ${[first, ...others].map((fault) => fault?.message).join('; ')}.`
        : `The validator ${use} takes no ${first.extra.property}; it takes ${first.extra.known.join(', ') || 'nothing here'}.`,
  }));
}

/** Indices as they are written in paths of fields. */
const toField = (path: string): string => path.replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
