import { showControls } from './show-controls.ts';

/** A text that comes in parts as a terminal may have it. Lines are shown whole, since a part may end within a colour. */
export async function* showLines(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let begun = '';
  for await (const part of parts) {
    const end = part.lastIndexOf('\n') + 1;
    if (end > 0) yield showControls(begun + part.slice(0, end));
    begun = end > 0 ? part.slice(end) : begun + part;
  }
  if (begun !== '') yield showControls(begun);
}
