import { ConnectionError } from './wire-errors.ts';

const rpcPath = '/rpc';

/** `ws://host:port/rpc`, from any of the ways to write where a coordinator is: http or ws, with or without the path. */
export const toSocketUrl = (url: string): string => toRpcUrl(url, { http: 'ws', https: 'wss', ws: 'ws', wss: 'wss' });

/** `http://host:port/rpc`, from the same. */
export const toHttpUrl = (url: string): string => toRpcUrl(url, { http: 'http', https: 'https', ws: 'http', wss: 'https' });

function toRpcUrl(text: string, schemes: Readonly<Record<string, string>>): string {
  const url = URL.parse(text);
  const scheme = url === null ? undefined : schemes[url.protocol.slice(0, -1)];
  if (url === null || scheme === undefined) {
    throw new ConnectionError(
      'unreachable',
      `${JSON.stringify(text)} is not the address of a coordinator. It looks like ws://127.0.0.1:4766/rpc.`,
    );
  }
  return `${scheme}://${url.host}${url.pathname === '/' ? rpcPath : url.pathname}`;
}
