/** Health checks, as the Docker Engine API v1.47 has them. */

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export type HealthProbe = {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
};

export type Health = {
  readonly Status: HealthStatus;
  readonly FailingStreak: number;
  /** The last five, oldest first. */
  readonly Log: readonly HealthProbe[];
};
