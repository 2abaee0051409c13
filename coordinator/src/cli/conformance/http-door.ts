import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Sent } from './conversation.ts';
import type { Door, DoorOptions } from './door.ts';

/** Each frame is the body of a POST on a connection of its own. */
export function httpDoor(options: DoorOptions): Door {
  return {
    name: 'http',
    async open() {
      return {
        async exchange(sent) {
          const bodies = await Promise.all(sent.map((frame) => post(options, frame)));
          return { texts: bodies.filter((body) => body !== '') };
        },
        close: async () => {},
      };
    },
  };
}

/** The body of the answer; empty where there is none. */
function post({ url, token, timeoutMs }: DoorOptions, { bytes }: Sent): Promise<string> {
  const request = url.startsWith('https:') ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': bytes.length, authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    asked.once('error', (error) => reject(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs} ms`) : error));
    asked.once('response', (response) => {
      text(response).then((body) => {
        const type = response.headers['content-type'] ?? '';
        if (body !== '' && !/^application\/json\b/i.test(type)) reject(new Error(`the content type of the answer is ${type || 'missing'}`));
        else resolve(body);
      }, reject);
    });
    asked.end(bytes);
  });
}
