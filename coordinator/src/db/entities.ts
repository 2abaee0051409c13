import { AgentEntity } from '../agent/agent.entity.ts';
import { PhaseVisitEntity } from '../phase/phase-visit.entity.ts';
import { ProjectEntity } from '../project/project.entity.ts';
import { TicketEntity } from '../ticket/ticket.entity.ts';
import { TokenEntity } from '../token/token.entity.ts';
import { WorkflowEntity } from '../workflow/workflow.entity.ts';

/**
 * The tables that the unit of work serves. Tasks, attempts, sessions, locks and events are written by statements made for
 * the purpose, in their stores, and have no entity.
 */
export const entities = [AgentEntity, PhaseVisitEntity, ProjectEntity, TicketEntity, TokenEntity, WorkflowEntity];
