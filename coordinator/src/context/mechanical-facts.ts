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
import { pinnedTokensMax } from './pin-limit.ts';
import { topicOf } from './topic.ts';

// What nobody has to say: few items, each short, and the newest about a thing in the place of the older. What the coordinator saw is its
// own word; what stands in an artifact is the word of whoever wrote the artifact.

/** How many names one item lists. */
const namesMax = 30;
/** How many findings of one gate result become items, and how many of them may be sums and the like, whatever else is found. */
const findingsMax = 20;
const infosMin = 5;
/** How long what others wrote may be within an item, in characters. */
const quoteMax = 300;

const toldByArtifacts = ['files', 'commands', 'tests'] as const;

type NamedArtifact = Pick<NewArtifact, 'type' | 'name'>;

/** All that an artifact may tell of. */
export const topicsOfArtifact = ({ type, name }: NamedArtifact): string[] => toldByArtifacts.map((what) => topicOf(what, type, name));

/** What an artifact tells: the files that a change touches, the commands that were run, the tests that were counted. */
export function factsOfArtifact(origin: Origin, { type, name, content }: NewArtifact, sha256: string): ItemOf[] {
  const facts: ItemOf[] = [];
  const add = (what: (typeof toldByArtifacts)[number], told: string, { kind = 'fact', references = [], ...more }: Partial<Fact> = {}) =>
    facts.push({
      origin,
      source: 'reported',
      topic: topicOf(what, type, name),
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

/** That items an attempt brought with a pin have it no more. */
export function factOfUnpinned(origin: Origin, texts: readonly string[]): ItemOf {
  const items = texts.length === 1 ? '1 item' : `${texts.length} items`;
  const are = texts.length === 1 ? 'is' : 'are';
  const names = listNames(texts.map((text) => `"${quote(text)}"`));
  const text = `${items} that "${quote(origin.author)}" returned ${are} not pinned, since the pins of a ticket have ${pinnedTokensMax} tokens together: ${names}`;
  return toFact(origin, undefined, { kind: 'fact', text });
}

/** That a pin did not go over to what was recorded in the place of something pinned. */
export const factOfLostPin = (origin: Origin, citation: string): ItemOf =>
  toFact(origin, undefined, {
    kind: 'fact',
    text: `${citation} takes the place of something pinned, and is not pinned itself, since the pins of a ticket have ${pinnedTokensMax} tokens together`,
    references: [{ kind: 'item', value: citation }],
  });

/** The validators that run the program their configuration names. */
const runners = ['command', 'exec'];
/** A program that is not there gives an error, too. */
const run = { pass: 'ran', fail: 'ran', error: 'tried to run', timeout: 'ran' } as const;

/** Of a gate result: what the validators found, the gravest first, and which programs were run. */
export function factsOfGate(origin: Origin, verdicts: readonly Verdict[], validators: readonly GateValidator[]): ItemOf[] {
  const all = verdicts.flatMap(({ validator, findings }) => findings.map((finding) => ({ validator, finding })));
  const listOf = (severity: Finding['severity']) => all.filter(({ finding }) => finding.severity === severity);
  const infos = listOf('info');
  const grave = [...listOf('fail'), ...listOf('warn')].slice(0, findingsMax - Math.min(infos.length, infosMin));
  const commands = verdicts.flatMap(({ validator, outcome }, index) => {
    const command = runners.includes(validator) ? validators[index]?.config['command'] : undefined;
    return Array.isArray(command) && outcome !== 'skipped' ? [{ command: quote(command.join(' ')), outcome }] : [];
  });
  return [
    ...[...grave, ...infos].slice(0, findingsMax).map(({ validator, finding }) => {
      const { code, path = null } = finding;
      return toFact(origin, topicOf('gate', 'finding', validator, code, path), toFinding(validator, finding));
    }),
    ...commands
      .slice(0, findingsMax)
      .map(({ command, outcome }) =>
        toFact(origin, topicOf('gate', 'command', command), { kind: 'fact', text: `The gate ${run[outcome]} \`${command}\`: ${outcome}` }),
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
