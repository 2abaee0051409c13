import { parseModule, withoutComments } from '../project/source-module.ts';

export interface DocComment {
  readonly name: string;
  readonly description: string;
}

export interface Documented {
  readonly text: string;
  /** The exports that have a doc comment now and had none before. */
  readonly names: readonly string[];
}

/**
 * Puts doc comments before the exports of a module that have none. Nothing else changes: a result whose code differs
 * is refused with an error.
 */
export function addDocComments(path: string, text: string, comments: readonly DocComment[]): Documented {
  const { exports } = parseModule(path, text);
  const wanted = exports
    .filter(({ isDocumented }) => !isDocumented)
    .flatMap(({ name, offset }) => comments.filter((comment) => comment.name === name).map((comment) => ({ ...comment, offset })))
    // From the end of the file, so that the offsets before stay true.
    .toSorted((a, b) => b.offset - a.offset);
  let edited = text;
  for (const comment of wanted) edited = edited.slice(0, comment.offset) + formatComment(comment) + edited.slice(comment.offset);
  if (withoutComments(path, edited) !== withoutComments(path, text)) throw new Error(`Documenting ${path} would change its code.`);
  return { text: edited, names: wanted.map(({ name }) => name).toReversed() };
}

const columnsMax = 110;

function formatComment({ description }: DocComment): string {
  const lines = wrap(description.replaceAll('*/', '* /').replaceAll(/\s+/g, ' '));
  return lines.length === 1 ? `/** ${lines[0] ?? ''} */\n` : `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.trim().split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= columnsMax) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
