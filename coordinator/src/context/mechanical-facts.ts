import type {
  ContextReference,
  Finding,
  GateValidator,
  GrantedLock,
  JsonValue,
  NewArtifact,
  NewContextItem,
  Verdict,
} from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import { clip } from './clip.ts';
import type { ItemOf } from './context.store.ts';
import { countTests } from './count-tests.ts';

// What nobody has to say: few items, each short, and the newest about a thing in the place of the older. What the coordinator saw is its
// own word; what stands in an artifact is the word of whoever wrote the artifact.

/** How many names one item lists. */
const namesMax = 30;
/** How many findings of one gate result become items. */
const findingsMax = 20;
/** How long what others wrote may be within an item, in characters. */
const quoteMax = 300;

/** What an artifact tells: the files that a change touches, the commands that were run, the tests that were counted. */
export function factsOfArtifact(origin: Origin, { type, name, content }: NewArtifact, sha256: string): ItemOf[] {
  const facts: ItemOf[] = [];
  const add = (what: string, told: string, { kind = 'fact', references = [], ...more }: Partial<Fact> = {}) =>
    facts.push({
      origin,
      source: 'reported',
      topic: JSON.stringify([what, type, name]),
      item: {
        kind,
        text: `${type} "${name}"${told}, reported by ${origin.author}`,
        references: [{ kind: 'artifact', value: sha256 }, ...references],
        pinned: false,
        ...more,
      },
    });

  const files = type === 'code_changes' ? namesIn(content, 'files') : [];
  if (files.length > 0) add('files', ` touches ${listNames(files)}`, { references: files.slice(0, namesMax).map(toFile) });
  const commands = namesIn(content, 'commands');
  if (commands.length > 0) add('commands', ` ran ${listNames(commands)}`);
  const tests = countTests(type, content);
  if (tests !== undefined) {
    const counts = Object.entries(tests).map(([state, count]) => `${count} ${state}`);
    add('tests', `: ${counts.join(', ')}`, { kind: 'number', data: tests });
  }
  return facts;
}

/** Of an attempt: the files that it kept others away from. */
export function factsOfLocks(origin: Origin, title: string, locks: readonly GrantedLock[]): ItemOf[] {
  const files = [
    ...new Set(
      locks.filter(({ key, mode }) => key.startsWith('file:') && mode === 'exclusive').map(({ key }) => key.slice('file:'.length)),
    ),
  ].sort();
  if (files.length === 0) return [];
  const text = `"${quote(title)}" held the locks of ${listNames(files)}`;
  return [toFact(origin, undefined, { kind: 'fact', text, references: files.slice(0, namesMax).map(toFile) })];
}

/** Of an output: what it lists and was not taken as an item. */
export const factsOfLeftOut = (
  origin: Origin,
  title: string,
  leftOut: readonly { readonly text: string; readonly data: JsonValue }[],
): ItemOf[] =>
  leftOut.map(({ text, data }) =>
    toFact(origin, undefined, { kind: 'fact', text: `The output of "${quote(title)}" ${text}`, ...(data !== null && { data }) }),
  );

export const gateTopic = 'gate';

/** The validators that run the program their configuration names. */
const runners = ['command', 'exec'];
/** A program that is not there gives an error, too. */
const run = { pass: 'ran', fail: 'ran', error: 'tried to run', timeout: 'ran' } as const;

/** Of a gate result: what failed or was warned of, and which programs were run. */
export function factsOfGate(origin: Origin, verdicts: readonly Verdict[], validators: readonly GateValidator[]): ItemOf[] {
  const findings = verdicts.flatMap(({ validator, findings }) =>
    findings.filter(({ severity }) => severity !== 'info').map((finding) => ({ validator, finding })),
  );
  const commands = verdicts.flatMap(({ validator, outcome }, index) => {
    const command = runners.includes(validator) ? validators[index]?.config['command'] : undefined;
    return Array.isArray(command) && outcome !== 'skipped' ? [{ command: quote(command.join(' ')), outcome }] : [];
  });
  return [
    ...findings.slice(0, findingsMax).map(({ validator, finding }) => toFact(origin, gateTopic, toFinding(validator, finding))),
    ...commands
      .slice(0, findingsMax)
      .map(({ command, outcome }) =>
        toFact(origin, gateTopic, { kind: 'fact', text: `The gate ${run[outcome]} \`${command}\`: ${outcome}` }),
      ),
  ];
}

function toFinding(validator: string, { severity, code, message, path, line }: Finding): Fact {
  const place = path === undefined ? '' : ` at ${path}${line === undefined ? '' : `:${line}`}`;
  return {
    kind: 'fact',
    text: `The gate's ${validator} says ${severity} ${code}${place}: ${quote(message)}`,
    data: { validator, severity, code, ...(path !== undefined && { path }), ...(line !== undefined && { line }) },
    references: path === undefined ? [] : [{ kind: 'file', value: path, ...(line !== undefined && line > 0 && { line }) }],
  };
}

type Fact = Pick<NewContextItem, 'kind' | 'text' | 'data'> & { readonly references?: readonly ContextReference[] };

const toFact = (origin: Origin, topic: string | undefined, { references = [], ...fact }: Fact): ItemOf => ({
  origin: { ...origin, author: 'coordinator' },
  source: 'mechanical',
  item: { pinned: false, references: [...references], ...fact },
  ...(topic !== undefined && { topic }),
});

/** The names in a list of texts, or of objects with a `path`. */
function namesIn(value: JsonValue | undefined, name: string): string[] {
  const list =
    typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, JsonValue>>)[name]
      : undefined;
  if (!Array.isArray(list)) return [];
  const names = list.map((entry: JsonValue) => (typeof entry === 'string' ? entry : pathOf(entry)));
  return [...new Set(names.filter((each) => each !== ''))].map((each) => quote(each));
}

function pathOf(entry: JsonValue): string {
  const path = typeof entry === 'object' && entry !== null ? (entry as Readonly<Record<string, JsonValue>>)['path'] : undefined;
  return typeof path === 'string' ? path : '';
}

function listNames(names: readonly string[]): string {
  const more = names.length - namesMax;
  const listed = clip(names.slice(0, namesMax).join(', '), 3_000);
  return more > 0 ? `${listed} and ${more} more` : listed;
}

const toFile = (path: string): ContextReference => ({ kind: 'file', value: path });

const quote = (text: string): string => clip(text, quoteMax);
