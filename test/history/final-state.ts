import type { Client } from 'pg';

/** What the database says when all is over. */
export interface FinalState {
  readonly tasks: readonly FinalTask[];
  readonly attempts: readonly FinalAttempt[];
  readonly events: readonly FinalEvent[];
}

export interface FinalTask {
  readonly id: string;
  /** Which submission it came from, as its submitter says in the input. */
  readonly mark: string | null;
  readonly state: string;
  /** Who completed it, as the result says. */
  readonly author: string | null;
  /** Those that have to be completed before it may begin. */
  readonly dependsOn: readonly string[];
  readonly pending: number;
}

export interface FinalAttempt {
  readonly taskId: string;
  readonly number: number;
  readonly sessionId: string;
  readonly outcome: string | null;
}

export interface FinalEvent {
  readonly seq: number;
  readonly name: string;
  readonly taskId: string | null;
  readonly attempt: number | null;
}

/** Everything there is of one ticket; the events of its whole project, whose numbers leave no gap. */
export async function readFinalState(database: Client, ticketId: string): Promise<FinalState> {
  const tasks = await database.query<FinalTask>(
    `select t.id, t.input->>'mark' as mark, t.state, t.output->>'author' as author, t.pending_dependencies as pending,
       array(select d.depends_on_id::text from task_dependencies d where d.task_id = t.id and t.on_dependency_failure = 'skip') as "dependsOn"
     from tasks t where t.ticket_id = $1 order by t.id`,
    [ticketId],
  );
  const attempts = await database.query<FinalAttempt>(
    `select n.task_id as "taskId", n.number, n.session_id as "sessionId", n.outcome
     from attempts n join tasks t on t.id = n.task_id where t.ticket_id = $1 order by n.task_id, n.number`,
    [ticketId],
  );
  const events = await database.query<FinalEvent>(
    `select e.seq::int as seq, e.name, e.data->>'taskId' as "taskId", (e.data->>'attempt')::int as attempt
     from events e join tickets k on k.project_id = e.project_id where k.id = $1 order by e.seq`,
    [ticketId],
  );
  return { tasks: tasks.rows, attempts: attempts.rows, events: events.rows };
}
