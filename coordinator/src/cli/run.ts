import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import type { Client } from '@baton/protocol';
import { connect } from '@baton/sdk/connection';
import type { Config } from '../config.ts';
import type { Offer } from './plan/check-agents.ts';
import { kindOfPlace } from './plan/check-places.ts';
import { loadPlan } from './plan/load-plan.ts';
import { type AgentTeam, startTeam } from './run/agent-team.ts';
import { giveAgentsTokens } from './run/agent-tokens.ts';
import { beginRun, ensureTicket, resumeRun, setAside } from './run/begin-run.ts';
import { type Ending, endingOf, followTicket, settleTicket } from './run/follow.ts';
import { openPlace } from './run/open-place.ts';
import { planAgentStarts } from './run/plan-agents.ts';
import { refuseReportFile, writeReport } from './run/report-file.ts';
import { resumeCommand } from './run/resume-command.ts';
import { runFolderOf, type RunRecord, writeRunRecord } from './run/run-record.ts';
import { createRunView } from './run/run-view.ts';
import { summarise } from './run/summary.ts';
import { formatSummary } from './run/summary-text.ts';
import { CommandError, printLine, type Shell } from './shell.ts';
import { ask, explainRefusal, findTarget, type TargetOptions } from './target.ts';
import { readSettings } from './read-settings.ts';

export interface RunOptions extends TargetOptions {
  readonly port?: number;
  readonly databaseUrl?: string;
  readonly plugin?: readonly string[];
  readonly logLevel?: Config['logLevel'];
  readonly project?: string;
  readonly report?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
  readonly plain?: boolean;
}

const exitCodes = { done: 0, blocked: 1, failed: 1, interrupted: 130 } as const;

/** `baton run`: takes the ticket of a plan through its phases with the plan's agents. Leaves no process behind. */
export async function run(shell: Shell, file: string, options: RunOptions): Promise<number> {
  await refuseWrongOptions(options);
  const config = readRunSettings(options, shell);
  const loaded = await loadPlan(shell, file, await surroundingsOf(shell, options, config));
  if (loaded === undefined) return 2;

  const source = { ...loaded, planFile: resolve(file), dataDir: config.dataDir, project: options.project };
  // A run that cannot be resumed is refused before anything is started.
  const resumed = options.resume === true ? await resumeRun(source) : undefined;
  const interrupts = watchInterrupts(shell);
  const view = createRunView(shell, options);
  await using ends = new AsyncDisposableStack();
  ends.defer(interrupts.stop);
  ends.defer(view.end);

  if (options.url === undefined) view.say('starting a coordinator');
  const place = await openPlace(shell, options, config);
  ends.defer(place.close);
  try {
    view.say(place.notice);
    // Only now: the data folder is ours, and no other run writes into it.
    const begun = resumed ?? (await beginRun(source));
    await using connection = await connect({ url: place.target.url, tokenFile: place.target.tokenFile });
    if (begun.unfinished !== undefined) {
      view.say(`run ${begun.unfinished.runId} of this plan was not finished and is set aside; --resume would have gone on with it`);
      await setAside(connection.client, begun.unfinished, begun.record.runId);
    }
    const { ticket, record } = await ensureTicket(connection.client, loaded.plan, begun);
    const early = interrupts.signal.aborted ? ({ outcome: 'interrupted' } as const) : endingOf(ticket);
    if (resumed !== undefined)
      view.say(`run ${record.runId} ${early ? 'has ended' : 'goes on'}: its ticket is ${ticket.state} in ${ticket.phase}`);

    // Beside others there may be agents of the same names, and a second agent of a name takes the place of the first.
    const nameSuffix = place.isOwn ? '' : `-${record.runId.slice(0, 4)}`;
    const names = early === undefined ? Object.keys(loaded.plan.agents).map((name) => `${name}${nameSuffix}`) : [];
    await using tokens = await giveAgentsTokens(connection.client, names, runFolderOf(config.dataDir, record.runId));
    const starts = planAgentStarts(shell, loaded.plan, {
      planFile: source.planFile,
      target: place.target,
      tokenFiles: tokens.files,
      workspace: record.workspace,
      nameSuffix,
      logLevel: options.logLevel,
    });
    const team = startTeam(early === undefined ? starts : [], view);
    ends.defer(team.stop);
    interrupts.onSecond(team.kill);
    const seen = early ?? (await followTicket(connection, { ticket, view, startingAgents: team.starting, signal: interrupts.signal }));
    await team.stop();
    view.end();
    const ending = (seen.outcome === 'interrupted' ? await settleTicket(connection.client, ticket.id) : undefined) ?? seen;
    await conclude(shell, connection.client, { plan: loaded.plan.name, file, record, recordFile: begun.recordFile, ending, team, options });
    return exitCodes[ending.outcome];
  } catch (error) {
    throw explainRefusal(error, place.target);
  }
}

/** What could only be found out late is asked before anything is started. */
async function refuseWrongOptions({ url, port, databaseUrl, plugin, project, report }: RunOptions): Promise<void> {
  const own = { '--port': port, '--database-url': databaseUrl, '--plugin': plugin };
  const given = Object.entries(own).find(([, value]) => value !== undefined)?.[0];
  if (url !== undefined && given !== undefined) {
    throw new CommandError(`${given} is for a coordinator of the run's own, and --url names another. Leave out one of them.`, {
      exitCode: 2,
    });
  }
  if (project !== undefined && kindOfPlace(project) !== 'folder')
    throw new CommandError(`--project: there is no folder ${resolve(project)}.`, { exitCode: 2 });
  if (report !== undefined) await refuseReportFile(report);
}

interface Conclusion {
  readonly plan: string;
  readonly file: string;
  readonly record: RunRecord & { readonly ticketId: string };
  readonly recordFile: string;
  readonly ending: Ending;
  readonly team: AgentTeam;
  readonly options: RunOptions;
}

/** Keeps how the run ended, and reports it. */
async function conclude(
  shell: Shell,
  client: Client,
  { plan, file, record, recordFile, ending, team, options }: Conclusion,
): Promise<void> {
  await writeRunRecord(recordFile, { ...record, outcome: ending.outcome });
  const report = await summarise(client, {
    plan,
    record,
    ...ending,
    agents: team.agents.map(({ name, restarts }) => ({ name, restarts })),
  });
  if (options.json === true) printLine(shell.stdout, JSON.stringify(report));
  else printLine(shell.stdout, `\n${formatSummary(report)}`);
  if (ending.outcome === 'interrupted') printLine(shell.stderr, `Stopped. \`${resumeCommand(file, options)}\` goes on with it.`);
  // Last: what it came to is said, whatever has become of the place for the report.
  if (options.report !== undefined) await writeReport(options.report, report);
}

/** As for `baton up`, but with a port that is free, and quiet: the view speaks. */
function readRunSettings({ port, data, databaseUrl, plugin, logLevel }: RunOptions, { env }: Shell): Config {
  return readSettings(
    {
      ...(port === undefined && env['BATON_PORT'] !== undefined ? {} : { port: port ?? 0 }),
      ...(logLevel === undefined && env['BATON_LOG_LEVEL'] !== undefined ? {} : { logLevel: logLevel ?? 'error' }),
      ...(data === undefined ? {} : { data }),
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(plugin === undefined ? {} : { plugin }),
    },
    env,
  );
}

/** What the plan is checked against: our own plugins; or, where we join a coordinator, the agents that are there. */
async function surroundingsOf(shell: Shell, options: RunOptions, { plugins }: Config) {
  const json = options.json ?? false;
  const hasProject = options.project !== undefined;
  if (options.url === undefined) return { json, plugins, hasProject };
  const { agents } = await ask(await findTarget(options, shell.env), (client) => client.agent.list({ limit: 1_000 }));
  const others = agents.map(({ name, capabilities }): Offer => ({ name, capabilities, types: undefined }));
  return { json, plugins: undefined, hasProject, others };
}

/** How long agents have, at a second Ctrl-C, to end what they have started. */
const lastMs = 300;

/** The first SIGINT or SIGTERM stops the run in good order, the second at once. */
function watchInterrupts(shell: Shell) {
  const first = new AbortController();
  const onSecond: (() => void)[] = [];
  const stop = shell.onInterrupt(() => {
    if (!first.signal.aborted) {
      first.abort();
      return;
    }
    for (const listener of onSecond) listener();
    void sleep(lastMs).then(() => shell.exitNow(130));
  });
  return { signal: first.signal, onSecond: (listener: () => void) => void onSecond.push(listener), stop };
}
