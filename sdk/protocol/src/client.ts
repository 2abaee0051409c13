import type { MethodName, ParamsInput, Result } from './methods.ts';
import { methodNames, methods } from './methods.ts';

type NounOf<N extends string> = N extends `${infer Noun}/${string}` ? Noun : never;
type VerbOf<N extends string, Noun extends string> = N extends `${Noun}/${infer Verb}` ? Verb : never;

export interface CallOptions {
  /** Cancels the call: the coordinator is told, and the promise is rejected with `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Parameters may be left out where every one of them may be. */
type Call<M extends MethodName> =
  {} extends ParamsInput<M>
    ? (params?: ParamsInput<M>, options?: CallOptions) => Promise<Result<M>>
    : (params: ParamsInput<M>, options?: CallOptions) => Promise<Result<M>>;

/** `client.ticket.transition({ ticketId, to })`: one function per method, typed from its definition. */
export type Client = {
  readonly [Noun in NounOf<MethodName>]: {
    readonly [M in MethodName as VerbOf<M, Noun>]: Call<M>;
  };
};

export type Send = (method: MethodName, params: unknown, options?: CallOptions) => Promise<unknown>;

/** A client over anything that can send a call and bring back its result. Results are checked against the contract. */
export function createClient(send: Send): Client {
  const client: Record<string, Record<string, unknown>> = {};
  for (const name of methodNames) {
    const [noun, verb] = name.split('/');
    // `rpc.discover` belongs to the JSON-RPC namespace and has no noun; who needs it sends it by name.
    if (noun === undefined || verb === undefined) continue;
    client[noun] ??= {};
    client[noun][verb] = async (params: unknown = {}, options?: CallOptions) =>
      methods[name].result.parse(await send(name, params, options));
  }
  return client as unknown as Client;
}
