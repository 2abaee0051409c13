import { CamelCasePlugin, type RawBuilder } from 'kysely';
import type { EntityManager } from './orm.ts';

// Column names become camelCase; what lies inside a jsonb value is the caller's and stays as it is.
const camelCase = new CamelCasePlugin({ maintainNestedObjectKeys: true });

/**
 * Runs a statement written with Kysely's `sql` and returns its rows with camelCase names. Values are bound, never written
 * into the text. Inside a transaction the statement is part of it.
 */
export async function rowsOf<Row>(em: EntityManager, statement: RawBuilder<Row>): Promise<Row[]> {
  const { rows } = await statement.execute(em.getKysely().withPlugin(camelCase));
  return rows;
}

/** As `rowsOf`, for a statement that returns at most one row. */
export async function findRow<Row>(em: EntityManager, statement: RawBuilder<Row>): Promise<Row | undefined> {
  const [row] = await rowsOf(em, statement);
  return row;
}

/** A timestamp as the store returns it (text with microseconds) or as the ORM does, as the contract has it. */
export const toTimestamp = (value: string | Date): string => new Date(value).toISOString();
