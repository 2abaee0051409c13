import { CoordinatorError, type JsonObject, type NewArtifact, type WorkflowDefinition } from '@baton/protocol';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { EntityManager } from '../db/orm.ts';
import { rowsOf } from '../db/rows.ts';
import { digestOf } from './digest.ts';

/** Holds artifacts against the schemas that the workflows of their tickets give for their types. */
export interface ArtifactSchemas {
  /** What does not fit, in order; undefined for an artifact that fits, or of whose type nothing is known. */
  check(em: EntityManager, artifacts: readonly ArtifactOfTicket[]): Promise<(CoordinatorError | undefined)[]>;
}

export interface ArtifactOfTicket {
  readonly ticketId: string;
  readonly artifact: Pick<NewArtifact, 'type' | 'name' | 'content'>;
}

// Formats are words for people here. A schema that says `$schema: draft-07` is read as that.
const options: Options = { strict: false, allErrors: true, validateFormats: false };
const isDraft7 = ({ $schema }: JsonObject) => typeof $schema === 'string' && $schema.includes('draft-07');
const compile = (schema: JsonObject): ValidateFunction => (isDraft7(schema) ? new Ajv(options) : new Ajv2020(options)).compile(schema);

/** How many compiled schemas are kept. */
const compiledMax = 500;

export function createArtifactSchemas(): ArtifactSchemas {
  const compiled = new LRUCache<string, ValidateFunction>({ max: compiledMax });
  const find = (schema: JsonObject): ValidateFunction => {
    const { sha256: key } = digestOf(schema);
    const validate = compiled.get(key) ?? compile(schema);
    compiled.set(key, validate);
    return validate;
  };
  return {
    async check(em, artifacts) {
      const inline = artifacts.filter(({ artifact }) => artifact.content !== undefined);
      const schemas = inline.length === 0 ? new Map<string, JsonObject>() : await listSchemas(em, inline);
      return artifacts.map(({ ticketId, artifact }) => {
        const schema = artifact.content === undefined ? undefined : schemas.get(`${ticketId} ${artifact.type}`);
        return schema === undefined ? undefined : judge(find(schema), artifact);
      });
    },
  };
}

async function listSchemas(em: EntityManager, artifacts: readonly ArtifactOfTicket[]): Promise<Map<string, JsonObject>> {
  const wanted = [...new Map(artifacts.map(({ ticketId, artifact: { type } }) => [`${ticketId} ${type}`, { ticketId, type }])).values()];
  const rows = await rowsOf(
    em,
    sql<{
      ticketId: string;
      type: string;
      schema: JsonObject;
    }>`select x."ticketId" as ticket_id, x.type, w.definition->'artifactTypes'->x.type->'schema' as schema
        from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as x("ticketId" uuid, type text)
          join tickets t on t.id = x."ticketId" join workflows w on w.id = t.workflow_id
        where w.definition->'artifactTypes'->x.type->'schema' is not null`,
  );
  return new Map(rows.map(({ ticketId, type, schema }) => [`${ticketId} ${type}`, schema]));
}

/** How many faults of one artifact are told. */
const faultsMax = 20;

function judge(validate: ValidateFunction, { type, name, content }: ArtifactOfTicket['artifact']): CoordinatorError | undefined {
  if (validate(content)) return undefined;
  const fields = (validate.errors ?? []).slice(0, faultsMax).map(toField);
  const message = `${type} "${name}": ${fields.map(({ path, message }) => `${path} ${message}`).join('; ')}.`;
  return new CoordinatorError('artifact_invalid', { type, name, fields, message });
}

const toField = ({ instancePath, message = 'does not fit', params, keyword }: ErrorObject) => ({
  path: `content${instancePath.replaceAll('/', '.')}`,
  message: keyword === 'additionalProperties' ? `${message}: ${String(params['additionalProperty'])}` : message,
});

/** The types of a workflow whose schema is none, with what is wrong with it. */
export function findSchemaFaults({ artifactTypes = {} }: Pick<WorkflowDefinition, 'artifactTypes'>): { type: string; message: string }[] {
  return Object.entries(artifactTypes).flatMap(([type, { schema }]) => {
    if (schema === undefined) return [];
    try {
      compile(schema);
      return [];
    } catch (error) {
      return [{ type, message: error instanceof Error ? error.message : String(error) }];
    }
  });
}
