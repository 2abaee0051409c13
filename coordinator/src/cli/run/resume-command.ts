/** Where a run takes place, as the options of its command say. */
export interface RunPlace {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly plugin?: readonly string[];
}

/** The command that goes on with a run where it took place. The URL of a database may hold a password and is left to its user. */
export function resumeCommand(file: string, { url, tokenFile, data, databaseUrl, plugin = [] }: RunPlace): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  const words = [
    'baton',
    'run',
    file,
    '--resume',
    ...option('--data', data),
    ...option('--url', url),
    ...option('--token-file', tokenFile),
    ...plugin.flatMap((each) => option('--plugin', each)),
  ];
  return [...words.map(quote), ...(databaseUrl === undefined ? [] : ['--database-url …'])].join(' ');
}

/** As a shell takes it for one word. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
