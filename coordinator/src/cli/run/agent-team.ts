import { formatDuration } from '../../duration.ts';
import { type AgentProcess, type AgentStart, startAgentProcess } from './agent-process.ts';
import type { RunView } from './run-view.ts';

/** The agents of a run. */
export interface AgentTeam {
  readonly agents: readonly Pick<AgentProcess, 'name' | 'restarts'>[];
  /** Those that are being started, given the names of those that have registered. */
  starting(registered: readonly string[]): readonly string[];
  stop(): Promise<void>;
  kill(): void;
}

export function startTeam(starts: readonly AgentStart[], view: Pick<RunView, 'say' | 'agentLine'>): AgentTeam {
  const agents = starts.map((start) =>
    startAgentProcess(start, {
      onLine: view.agentLine,
      onEnd: (name, ending, restartInMs) =>
        view.say(
          `agent ${name} ended with ${ending}; ${restartInMs === undefined ? 'it is not started again' : `it is started again in ${formatDuration(restartInMs)}`}`,
        ),
    }),
  );
  return {
    agents,
    starting: (registered) => agents.filter(({ name, isAlive }) => isAlive && !registered.includes(name)).map(({ name }) => name),
    stop: async () => void (await Promise.all(agents.map((agent) => agent.stop()))),
    kill: () => agents.forEach((agent) => agent.kill()),
  };
}
