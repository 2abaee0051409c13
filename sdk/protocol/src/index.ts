export { type Access, type EventDefinition, type MethodDefinition, type NotificationDefinition } from './define.ts';
export { mayAccess, type Role, role, roleAccess, roles, rolesWith } from './access.ts';
export {
  CoordinatorError,
  type ErrorBlame,
  errorCatalogue,
  type ErrorInfo,
  errorInfo,
  type ErrorKind,
  errorKinds,
  type FieldProblem,
  generalErrors,
  isErrorKind,
} from './errors.ts';
export { finalStates, type Machine, next, sourcesOf, type StateOf, type StepOf, toMermaid } from './machine.ts';
export {
  type JsonObject,
  type JsonValue,
  type Priority,
  priorities,
  priority,
  capabilities,
  capability,
  capabilityNeeds,
  name,
  phaseName,
  jsonObject,
} from './values.ts';
export {
  type AdministrativeState,
  type Agent,
  agent,
  type AgentHealth,
  agentHealths,
  type AgentStatus,
  agentStatuses,
  type SessionEndReason,
} from './agent.ts';
export { type AgentHealthReport, type FoundAgent, outOfWorkStatuses, type SearchQuery } from './agent-registry.ts';
export {
  type Artifact,
  artifact,
  artifactType,
  type ArtifactWithContent,
  type NewArtifact,
  newArtifact,
  type NewArtifactInput,
} from './artifact.ts';
export {
  type ContextItem,
  type ContextKind,
  contextKind,
  contextKinds,
  contextJsonCharactersMax,
  contextReferencesMax,
  type ContextPack,
  type Narrative,
  type ContextReference,
  type ContextSource,
  type NewContextItem,
  newContextItem,
  type NewContextItemInput,
  type ContextAggregate,
  type PhaseContext,
} from './context.ts';
export { type ExpandedContextItem, type Rehydration } from './context-methods.ts';
export { type Durability } from './coordinator.ts';
export { type Criterion, criterion, criterionOperators } from './criterion.ts';
export { type EventData, type EventName, eventNames, events, type RecordedEvent } from './event.ts';
export { type Approval, type ApprovalDecision, approvalStates } from './approval.ts';
export { type ApprovalRule } from './approval-rule.ts';
export {
  type Finding,
  finding,
  type GateExplanation,
  type GateReason,
  type GateResult,
  type GateStatus,
  type JudgedArtifact,
  type Verdict,
  verdictOutcomes,
} from './gate.ts';
export { type GateDefinition, gateDefinition, type GateValidator } from './gate-definition.ts';
export { type GrantedLock, type Lock, type LockHolder, lockKey, type LockMode, type LockRequest, lockRequest } from './lock.ts';
export { type Project, type ProjectStatus } from './project.ts';
export {
  type Assignment,
  type DagStatus,
  type Explanation,
  type GraphTask,
  type Obstacle,
  type ObstacleCode,
  type PassedOver,
  type ReadyTask,
} from './scheduler.ts';
export {
  type Attempt,
  type AttemptOutcome,
  attemptOutcomes,
  type Claim,
  type DeadLetter,
  type NewTask,
  newTask,
  type NewTaskInput,
  type RevocationReason,
  type Task,
  type TaskDetails,
  type TaskError,
  taskMachine,
  taskRef,
  type TaskState,
  taskTitleMax,
} from './task.ts';
export { type PluginView } from './plugin.ts';
export { type PhaseVisit, type Ticket, ticketStates } from './ticket.ts';
export { type Token } from './token.ts';
export {
  type EdgeKind,
  edgeKinds,
  type PhaseDefinition,
  phaseDefinition,
  softwareDelivery,
  type TaskTemplate,
  taskTemplate,
  type Workflow,
  type WorkflowDefinition,
  workflowDefinition,
  type WorkflowDefinitionInput,
} from './workflow.ts';
export {
  isMethodName,
  type MethodName,
  methodNames,
  methods,
  type NotificationName,
  type NotificationParams,
  notifications,
  type Params,
  type ParamsInput,
  type Result,
} from './methods.ts';
export { toOpenRpc } from './openrpc.ts';
export { toAsyncApi } from './asyncapi.ts';
export { type CallOptions, type Client, createClient, type Send } from './client.ts';
export { toFieldProblems } from './field-problems.ts';
