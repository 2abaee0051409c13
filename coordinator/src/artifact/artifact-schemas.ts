import { CoordinatorError, type JsonObject, type NewArtifact } from '@baton/protocol';
import { sql } from 'kysely';
import { createGroupedRead } from '../db/grouped-read.ts';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { digestOf } from './digest.ts';
import { createSchemaChecker, type SchemaChecker } from './schema-checker.ts';

/** Holds artifacts against the schemas that the workflows of their tickets give for their types. */
export interface ArtifactSchemas {
  /**
   * The first of the artifacts that does not fit, as the error to refuse it with; undefined where all do, where nothing is known
   * of their types, or where there is no such ticket. Takes its time: never to be waited for inside a transaction.
   */
  findFault(ticketId: string, artifacts: readonly ShownArtifact[]): Promise<CoordinatorError | undefined>;
  /** What compiles and checks them. */
  readonly checker: Pick<SchemaChecker, 'ask'>;
  stop(): Promise<void>;
}

export type ShownArtifact = Pick<NewArtifact, 'type' | 'name' | 'content'>;

export function createArtifactSchemas(em: EntityManager): ArtifactSchemas {
  const checker = createSchemaChecker();
  const findSchema = createGroupedRead((typesOfTickets: readonly TypeOfTicket[]) => findSchemas(em.fork(), typesOfTickets));

  const judge = async (schema: JsonObject, { type, name, content }: ShownArtifact): Promise<CoordinatorError | undefined> => {
    const refuse = (message: string, fields: readonly { path: string; message: string }[]) =>
      new CoordinatorError('artifact_invalid', { type, name, fields, message: `${type} "${name}": ${message}.` });
    if (content === undefined) {
      const message = `artifacts of a type with a schema are checked when they are stored: give the content itself, or another type to what lies at a uri`;
      return refuse(message, [{ path: 'uri', message }]);
    }
    const answer = await checker.ask({ key: digestOf(schema).sha256, schema, content });
    if ('failed' in answer) {
      const message = `it cannot be held against the schema of its type: ${answer.failed}. Give less content, or a simpler schema to the workflow`;
      return refuse(message, [{ path: 'content', message }]);
    }
    if (answer.faults.length === 0) return undefined;
    const fields = answer.faults.map(({ path, message }) => ({ path, message }));
    return refuse(fields.map(({ path, message }) => `${path} ${message}`).join('; '), fields);
  };

  return {
    async findFault(ticketId, artifacts) {
      for (const artifact of artifacts) {
        const schema = await findSchema({ ticketId, type: artifact.type });
        const fault = schema === undefined ? undefined : await judge(schema, artifact);
        if (fault !== undefined) return fault;
      }
      return undefined;
    },
    checker,
    stop: checker.stop,
  };
}

interface TypeOfTicket {
  readonly ticketId: string;
  readonly type: string;
}

/** The schemas of types in the workflows of tickets, in order. A ticket keeps the version of its workflow, and so its schemas. */
async function findSchemas(em: EntityManager, wanted: readonly TypeOfTicket[]): Promise<(JsonObject | undefined)[]> {
  const rows = await rowsOf(
    em,
    sql<{
      number: number;
      schema: JsonObject;
    }>`select x.number::int as number, w.definition->'artifactTypes'->(x.value->>'type')->'schema' as schema
        from jsonb_array_elements(${JSON.stringify(wanted)}::jsonb) with ordinality as x(value, number)
          join tickets t on t.id = (x.value->>'ticketId')::uuid join workflows w on w.id = t.workflow_id
        where w.definition->'artifactTypes'->(x.value->>'type')->'schema' is not null`,
  );
  const found = new Map(rows.map(({ number, schema }) => [number, schema]));
  return wanted.map((_, index) => found.get(index + 1));
}
