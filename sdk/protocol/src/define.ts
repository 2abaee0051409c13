import { z } from 'zod';
import type { ErrorKind } from './errors.ts';
import { idempotencyKey } from './values.ts';

/**
 * What a method needs the caller's role to allow. The roles and what they allow are in `access.ts`.
 *
 * `read` looks, `work` is what agents do, `operate` steers tickets and tasks, `administer` overrides rules.
 */
export type Access = 'read' | 'work' | 'operate' | 'administer';

/** Everything there is to know about one remote method. Dispatch, client, OpenRPC and docs all read this. */
export interface MethodDefinition {
  readonly summary: string;
  /** What the caller's role must allow. */
  readonly access: Access;
  /** The call belongs to an agent's session: made on its connection, or with its resume token over HTTP. */
  readonly session: boolean;
  /** Calling twice with the same parameters has the effect of calling once, with no idempotency key needed. */
  readonly idempotent: boolean;
  readonly params: z.ZodObject;
  readonly result: z.ZodType;
  readonly errors: readonly ErrorKind[];
}

/** A fact, recorded in the transaction that made it true and told to subscribers after its commit. */
export interface EventDefinition {
  readonly summary: string;
  readonly data: z.ZodObject;
}

/** What the coordinator tells one connection and nobody records: an order to an agent, a sign of progress. */
export interface NotificationDefinition {
  readonly summary: string;
  readonly params: z.ZodObject;
}

export const method = <const D extends MethodDefinition>(definition: D): D => definition;
export const event = <const D extends EventDefinition>(definition: D): D => definition;
export const notification = <const D extends NotificationDefinition>(definition: D): D => definition;

/** Parameters of a method that only looks: an unknown field is a mistake and is refused. */
export const readParams = <S extends z.core.$ZodShape>(shape: S) => z.strictObject(shape);

/** Parameters of a method that changes something: as `readParams`, with the optional `idempotencyKey`. */
export const writeParams = <S extends z.core.$ZodShape>(shape: S) =>
  z.strictObject({ ...shape, idempotencyKey: idempotencyKey.optional() });
