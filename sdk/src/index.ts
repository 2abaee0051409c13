export { defineTask, type TaskDefinition } from './agent/define-task.ts';
export { type AgentDefinition, defineAgent } from './agent/define-agent.ts';
export type { HeldLock, LockOptions, LockWish, PackOptions, SpawnedTask, TaskContext } from './agent/task-context.ts';
export { PermanentTaskError, TaskAbortedError } from './agent/task-errors.ts';
export type { AbortReason } from './agent/outcome.ts';
export { runAgent, type RunAgentOptions } from './agent/run-agent.ts';
export { type CommandAgentOptions, runCommandAgent } from './agent/command-agent.ts';
export type { ExitCodes } from './agent/exit-codes.ts';
export { AgentReplacedError } from './agent/agent-replaced-error.ts';
export type { AgentActivity } from './agent/serve-agent.ts';
export type { AgentLog, LogFields, LogLevel } from './agent/agent-log.ts';
export { type AgentDescription, describeAgent } from './agent/describe-agent.ts';
export { AgentModuleError } from './agent/load-agent.ts';
export { ArtifactChangedError, readArtifact, type ReadArtifactOptions } from './artifact/read-artifact.ts';
export {
  CoordinatorError,
  type JsonObject,
  type JsonValue,
  type NewArtifactInput,
  type NewContextItemInput,
  type NewTaskInput,
} from '@baton/protocol';
