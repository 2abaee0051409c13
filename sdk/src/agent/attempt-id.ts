export interface AttemptId {
  readonly taskId: string;
  readonly attempt: number;
}
