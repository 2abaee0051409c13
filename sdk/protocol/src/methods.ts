import type { z } from 'zod';
import { agentRegistryMethods } from './agent-registry.ts';
import { agentMethods, agentNotifications } from './agent.ts';
import { approvalMethods } from './approval.ts';
import { artifactMethods } from './artifact.ts';
import { contextMethods } from './context-methods.ts';
import { coordinatorMethods } from './coordinator.ts';
import { eventMethods, eventNotifications } from './event.ts';
import { gateMethods } from './gate.ts';
import { lockMethods, lockNotifications } from './lock.ts';
import { pluginMethods } from './plugin.ts';
import { projectMethods } from './project.ts';
import { schedulerMethods } from './scheduler.ts';
import { taskMethods } from './task-methods.ts';
import { taskNotifications } from './task.ts';
import { phaseMethods, ticketMethods } from './ticket.ts';
import { tokenMethods } from './token.ts';
import { workflowMethods } from './workflow.ts';

/** Every remote method, by name. */
export const methods = {
  ...coordinatorMethods,
  ...projectMethods,
  ...tokenMethods,
  ...workflowMethods,
  ...pluginMethods,
  ...phaseMethods,
  ...ticketMethods,
  ...taskMethods,
  ...schedulerMethods,
  ...agentMethods,
  ...agentRegistryMethods,
  ...lockMethods,
  ...artifactMethods,
  ...gateMethods,
  ...approvalMethods,
  ...contextMethods,
  ...eventMethods,
};

export type MethodName = keyof typeof methods;
/** What a handler receives: checked, normalised, with defaults filled in. */
export type Params<M extends MethodName> = z.output<(typeof methods)[M]['params']>;
/** What a caller writes: defaults may be left out. */
export type ParamsInput<M extends MethodName> = z.input<(typeof methods)[M]['params']>;
export type Result<M extends MethodName> = z.output<(typeof methods)[M]['result']>;

export const methodNames = Object.keys(methods) as [MethodName, ...MethodName[]];
export const isMethodName = (name: string): name is MethodName => Object.hasOwn(methods, name);

/** What the coordinator tells a connection unasked, by name. */
export const notifications = { ...taskNotifications, ...agentNotifications, ...lockNotifications, ...eventNotifications };

export type NotificationName = keyof typeof notifications;
export type NotificationParams<N extends NotificationName> = z.output<(typeof notifications)[N]['params']>;
