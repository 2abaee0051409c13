import { roles, taskMachine, type TaskState } from '@baton/protocol';
import type { ExitCodes } from '@baton/sdk';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

/** Options that several commands have, so that they are the same everywhere. */
export const dataOption = () => new Option('--data <dir>', 'the data folder of the coordinator (default: .baton)');
export const jsonOption = (what: string) => new Option('--json', what);
export const logLevelOption = (usual: string) =>
  new Option('--log-level <level>', `how much is logged to standard error (default: ${usual})`).choices([
    'fatal',
    'error',
    'warn',
    'info',
    'debug',
    'trace',
    'silent',
  ]);
export const portOption = (usual: string) =>
  new Option('--port <port>', `the port to listen at; 0 picks a free one (default: ${usual})`).argParser(parsePort);
export const databaseOption = () =>
  new Option('--database-url <url>', 'a PostgreSQL database, postgres://…, instead of the embedded store');

/** A validator or summarizer of one's own comes beside the others; a list without some of those is a setting. */
export const pluginOption = () =>
  new Option(
    '--plugin <package>',
    'a plugin to enable besides the usual ones or those of BATON_PLUGINS, by package or path (./…); may be repeated',
  ).argParser(collect);

/** How a command finds the coordinator that it speaks to. */
export const addTargetOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'where the coordinator listens (default: as its data folder says, else http://127.0.0.1:4766)')
    .option('--token-file <file>', 'the file that holds the token (default: the one in the data folder)')
    .addOption(dataOption());

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('Expected a number from 0 to 65535.');
  return port;
}

export const roleOption = () => new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory();

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration with its unit, such as `90d`, in ms. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^([1-9]\d*)([smhd])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    throw new InvalidArgumentError('Expected a whole number and its unit: 45s, 30m, 12h or 90d.');
  return Number(number) * unitMs[unit as keyof typeof unitMs];
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return count;
}

export const parseList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export function parseTaskStates(text: string): TaskState[] {
  return parseList(text).map((word) => {
    const state = taskMachine.states.find((known) => known === word);
    if (state === undefined) throw new InvalidArgumentError(`Expected some of ${taskMachine.states.join(', ')}, with commas between.`);
    return state;
  });
}

export function parseExitCodes(text: string) {
  const codes = exitCodes.safeParse(tryParse(text));
  if (!codes.success) throw new InvalidArgumentError('Expected JSON such as {"success":[0],"retryable":[70],"permanent":[3]}.');
  return codes.data;
}

export function parseObject(text: string) {
  const object = z.record(z.string(), z.json()).safeParse(tryParse(text));
  if (!object.success) throw new InvalidArgumentError('Expected a JSON object such as {"area":"db"}.');
  return object.data;
}

const codes = z.array(z.int()).optional();
const exitCodes = z
  .strictObject({ success: codes, retryable: codes, permanent: codes })
  .transform((given) => JSON.parse(JSON.stringify(given)) as ExitCodes);

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For an option that may be given several times. */
export const collect = (value: string, earlier: readonly string[] | undefined): string[] => [...(earlier ?? []), value];

/** Whole, as commands take them. */
export const exampleId = '01997a3e-7c1b-7d2a-9f00-3c5a1e8b6d42';

export const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
