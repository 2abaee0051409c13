import { CoordinatorError, errorCatalogue, errorKinds, type ErrorKind, isErrorKind } from '@baton/protocol';

/** The `error` member of a JSON-RPC answer. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What went wrong with the connection itself, as opposed to what the coordinator answered. */
export type ConnectionFailure =
  /** Nothing answers at the address, or something that is no coordinator. */
  | 'unreachable'
  /** What answers has a certificate that nobody trusted vouches for. */
  | 'untrusted'
  /** It broke while a call was under way, and nobody knows whether the call had its effect. */
  | 'lost'
  /** It was closed on this side. */
  | 'closed';

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly failure: ConnectionFailure;

  constructor(failure: ConnectionFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** An error of the catalogue as JSON. Its cause stays here. */
export function toErrorObject(error: CoordinatorError): ErrorObject {
  const { kind, code, retryable, data } = error;
  return { code, message: errorCatalogue[kind].title, data: { ...data, kind, retryable } };
}

/** The error that the coordinator threw, thrown anew here. A kind that only a newer coordinator knows keeps its code and its data. */
export function toCoordinatorError({ code, message, data }: ErrorObject): CoordinatorError {
  const details = typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  const kind = details['kind'];
  if (isErrorKind(kind)) return new CoordinatorError(kind, details);
  const known = errorKinds.find((candidate) => errorCatalogue[candidate].code === code);
  if (known !== undefined) return new CoordinatorError(known, { message, ...details });
  return new CoordinatorError(nearestKind(code), { message, ...details, code });
}

// 503xx is passing for every version of us; of the rest nothing is known but that it failed.
const nearestKind = (code: number): ErrorKind => (Math.floor(code / 100) === 503 ? 'overloaded' : 'internal');
