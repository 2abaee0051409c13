import { z } from 'zod';
import type { ErrorKind } from './errors.ts';
import { idempotencyKey } from './values.ts';

/**
 * What a method needs the caller's role to allow. The roles and what they allow are in `access.ts`.
 *
 * `read` looks, `work` is what agents do, `operate` steers tickets and tasks, `administer` overrides rules.
 */
export type Access = 'read' | 'work' | 'operate' | 'administer';

/** Parameters as a caller may write them, and the result they lead to. */
export interface Example<P extends z.ZodObject, R extends z.ZodType> {
  readonly params: z.input<P>;
  readonly result: z.output<R>;
}

/** Everything there is to know about one remote method. Dispatch, client, OpenRPC and docs all read this. */
export interface MethodDefinition<P extends z.ZodObject = z.ZodObject, R extends z.ZodType = z.ZodType, S extends boolean = boolean> {
  readonly summary: string;
  /** What the caller's role must allow. */
  readonly access: Access;
  /** The call belongs to an agent's session: made on its connection, or with its resume token over HTTP. */
  readonly session: S;
  /** Calling twice with the same parameters has the effect of calling once, with no idempotency key needed. */
  readonly idempotent: boolean;
  readonly params: P;
  readonly result: R;
  /** What this method adds to the errors that any call may meet. */
  readonly errors: readonly ErrorKind[];
  /** A piece of the story that all examples tell together; a test lives through it with a running coordinator. */
  readonly example: Example<P, R>;
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

export const method = <P extends z.ZodObject, R extends z.ZodType, const S extends boolean>(
  definition: MethodDefinition<P, R, S>,
): MethodDefinition<P, R, S> => definition;
export const event = <const D extends EventDefinition>(definition: D): D => definition;
export const notification = <const D extends NotificationDefinition>(definition: D): D => definition;

/** Parameters of a method that only looks: an unknown field is a mistake and is refused. */
export const readParams = <S extends z.core.$ZodShape>(shape: S) => z.strictObject(shape);

/** Parameters of a method that changes something: as `readParams`, with the optional `idempotencyKey`. */
export const writeParams = <S extends z.core.$ZodShape>(shape: S) =>
  z.strictObject({ ...shape, idempotencyKey: idempotencyKey.optional() });
