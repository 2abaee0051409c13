/** A second process of the same name has taken the agent's place. */
export class AgentReplacedError extends Error {
  override readonly name = 'AgentReplacedError';

  constructor(agentName: string) {
    super(`Another process has registered as ${agentName}; this one ends. Give each process a name of its own.`);
  }
}
