import { ConnectionError } from './wire-errors.ts';

/** Why nothing could be asked at an address. `fetch` says "fetch failed" and keeps what happened in the cause. */
export function toUnreachable(url: string, error: unknown): ConnectionError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (code !== undefined && distrust.test(code)) {
    return new ConnectionError(
      'untrusted',
      `The certificate of ${url} is not trusted (${code}). Name the authority that vouches for it: in the option ca, or its file in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  const why = code ?? (cause instanceof Error ? cause.message : String(cause));
  return new ConnectionError('unreachable', `No coordinator answers at ${url} (${why}). Is it running?`, { cause: error });
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const distrust = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH/;
