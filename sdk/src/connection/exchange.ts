import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';

export interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

/** Posts a text and brings back the answer, whatever its status. */
export type Exchange = (url: string, request: HttpRequest) => Promise<{ readonly status: number; readonly text: string }>;

export const exchangeByFetch: Exchange = async (url, { headers, body, signal }) => {
  const response = await fetch(url, { method: 'POST', headers, body, ...(signal && { signal }) });
  return { status: response.status, text: await response.text() };
};

/** With Node's own client: it may be given authorities of one's own, and is a fraction of the size of `fetch`. */
export const exchangeByNode =
  (ca?: string): Exchange =>
  (url, { headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = url.startsWith('https:') ? requestTls : requestPlain;
      const sent = request(url, { method: 'POST', headers, agent: false, ...(ca !== undefined && { ca }), ...(signal && { signal }) });
      sent.on('error', reject);
      sent.on('response', (response) => {
        text(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      });
      sent.end(body);
    });
