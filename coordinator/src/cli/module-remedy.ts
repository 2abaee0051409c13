/** What to do about a module that does not load, as the end of a sentence; empty where the error says it all. */
export function remedyFor(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return '';
  const [, name] = /^Cannot find package '([^']+)'/.exec(error.message) ?? [];
  if (name === undefined) return '';
  const inClone = name.startsWith('@baton/') ? ', or, with a clone of Baton, put it into a folder of the clone' : '';
  return `; packages are looked for from the module upwards: run \`npm install ${name}\` in its folder${inClone}`;
}
