import { ConnectionError } from './wire-errors.ts';

/** Why nothing could be asked at an address. `fetch` says "fetch failed" and keeps what happened in the cause. */
export function toUnreachable(url: string, error: unknown): ConnectionError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const message =
    code !== undefined && distrust.test(code)
      ? `The certificate of ${url} is not to be trusted (${code}). Name the authority that signed it: the option ca, or the file in NODE_EXTRA_CA_CERTS.`
      : `No coordinator answers at ${url} (${code ?? (cause instanceof Error ? cause.message : String(cause))}). Is it running?`;
  return new ConnectionError('unreachable', message, { cause: error });
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const distrust = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH/;
