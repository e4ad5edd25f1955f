/** Exec, as the Docker Engine API v1.47 has it. */

/** What is asked of `POST /containers/{id}/exec`. */
export type ExecCreateBody = {
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
  readonly Tty?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Privileged?: boolean;
  readonly User?: string;
  readonly WorkingDir?: string;
  /** Rows and columns. */
  readonly ConsoleSize?: readonly [number, number] | null;
};

/** What is asked of `POST /exec/{id}/start`. */
export type ExecStartBody = {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  /** Rows and columns. */
  readonly ConsoleSize?: readonly [number, number] | null;
};

export type ExecInspect = {
  readonly ID: string;
  readonly Running: boolean;
  /** Null until it has ended. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  /** The keys' bytes, in base64. */
  readonly DetachKeys: string;
  readonly Pid: number;
};
