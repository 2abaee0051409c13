import { formatDuration } from '../duration.ts';
import { printLine, type Shell } from './shell.ts';
import { ask, findTarget, type TargetOptions } from './target.ts';

/** `baton status`: which coordinator this is, what its store survives, and how much there is to do. */
export async function status(shell: Shell, { json = false, ...options }: TargetOptions & { readonly json?: boolean }): Promise<number> {
  const target = await findTarget(options, shell.env);
  const answer = await ask(target, async (client) => {
    const [info, work] = await Promise.all([client.coordinator.info(), client.project.status()]);
    return { ...info, url: target.url, ...work };
  });
  if (json) printLine(shell.stdout, JSON.stringify(answer));
  else {
    const { version, url, uptimeMs, durability, project, role, agents, tickets, tasks } = answer;
    printLine(shell.stdout, `Baton ${version} at ${url}, up for ${formatDuration(uptimeMs)}`);
    printLine(shell.stdout, `Project  ${project} (this token: ${role})`);
    printLine(shell.stdout, `Store    ${durability.explanation}`);
    printLine(shell.stdout, `Agents   ${agents}`);
    printLine(shell.stdout, `Tickets  ${tickets.open} open, ${tickets.blocked} blocked`);
    printLine(shell.stdout, `Tasks    ${tasks.running} running, ${tasks.ready} ready, ${tasks.blocked} blocked`);
  }
  return 0;
}
