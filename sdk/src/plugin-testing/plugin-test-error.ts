/** A plugin does not do what its tests say. Every problem is a line of the message. */
export class PluginTestError extends Error {
  override readonly name = 'PluginTestError';
}

/** @throws PluginTestError where there is a problem */
export function refuseProblems(name: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new PluginTestError(`${name}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}
