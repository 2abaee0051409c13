import { outOfWorkStatuses, type SearchQuery } from '@baton/protocol';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { decidedStates, setAgentAvailability, setAgentState, type SetAvailabilityOptions, type SetStateOptions } from './agents-decide.ts';
import { type AgentsSearchOptions, agentStatistics, searchAgents } from './agents-search.ts';
import { agents } from './agents.ts';
import type { ReadOptions } from './list.ts';
import * as is from './options.ts';
import type { Shell } from './shell.ts';

/** `baton agents` and what belongs to it. */
export function addAgents(program: Command, shell: Shell, end: (exitCode: number) => void): void {
  const parent = program.command('agents');
  const complete = (command: Command, description: string, ...examples: readonly string[]): Command =>
    is
      .addTargetOptions(command.description(description))
      .addOption(is.jsonOption('print JSON'))
      .addHelpText('after', is.examples(...examples));
  // The options that both have are taken by `baton agents`, wherever they stand: each asks for all of them.
  const add = (name: string, description: string, ...examples: readonly string[]): Command =>
    complete(parent.command(name), description, ...examples);

  complete(
    parent,
    'Lists the agents, what they offer and how busy they are.',
    'baton agents --all',
    "baton agents search 'python@>=3.11' testing",
    "baton agents set-state tester-2 quarantined --reason 'Its results are wrong.'",
  )
    .option('--all', 'also those that are lost or have left')
    .action(async (options: ReadOptions & { readonly all?: boolean }) => end(await agents(shell, options)));

  add(
    'search',
    'Finds the agents that fit best, with what their scores are made of.',
    "baton agents search 'python@>=3.11' testing",
    'baton agents search --type reviewer --include lost,maintenance --json',
  )
    .argument('[capabilities...]', 'what is needed: a name, or a name with a range of versions')
    .option('--tag <tag>', 'one of its tags; again for more, of which it has all', is.collect)
    .option('--type <type>', 'only those of this type')
    .option('--phase <phase>', 'only those that mostly work in this phase')
    .option('--text <text>', 'only those with this in their name')
    .option('--include <statuses>', `also those that are ${outOfWorkStatuses.join(', ')}; with commas between`, parseStatuses)
    .option('--limit <count>', 'at most so many (default: 20)', is.parseCount)
    .action(async (capabilities: readonly string[], _: unknown, command: Command) =>
      end(await searchAgents(shell, capabilities, command.optsWithGlobals<AgentsSearchOptions>())),
    );

  add('statistics', 'Counts the agents by status, health, type and phase.', 'baton agents statistics').action(
    async (_: unknown, command: Command) => end(await agentStatistics(shell, command.optsWithGlobals<ReadOptions>())),
  );

  add(
    'set-state',
    'Decides about an agent. In maintenance or quarantine it finishes what it runs and is given nothing new; terminated is for good.',
    "baton agents set-state tester-2 quarantined --reason 'Its results are wrong.'",
    "baton agents set-state tester-2 active --reason 'It was mended.'",
  )
    .argument('<agent>', 'its name or its id')
    .addArgument(new Argument('<state>', 'what is to become of it').choices(decidedStates))
    .requiredOption('--reason <text>', 'why, for whoever looks at it later')
    .action(async (agent: string, state: (typeof decidedStates)[number], _: unknown, command: Command) =>
      end(await setAgentState(shell, { agent, state }, command.optsWithGlobals<SetStateOptions>())),
    );

  add(
    'set-availability',
    'Says whether an agent is given new tasks, until it begins a new session.',
    "baton agents set-availability tester-2 off --reason 'The build server is down.'",
    'baton agents set-availability tester-2 on',
  )
    .argument('<agent>', 'its name or its id')
    .addArgument(new Argument('<available>', 'on or off').choices(['on', 'off']))
    .option('--reason <text>', 'why, for whoever looks at it later')
    .action(async (agent: string, available: string, _: unknown, command: Command) =>
      end(await setAgentAvailability(shell, { agent, available: available === 'on' }, command.optsWithGlobals<SetAvailabilityOptions>())),
    );
}

function parseStatuses(text: string): SearchQuery['include'] {
  return is.parseList(text).map((word) => {
    const status = outOfWorkStatuses.find((known) => known === word);
    if (status === undefined) throw new InvalidArgumentError(`Expected some of ${outOfWorkStatuses.join(', ')}.`);
    return status;
  });
}
