/** What a container uses, and which processes it has, as the Engine API v1.47 names it. */

export type CpuStats = {
  /** In nanoseconds. */
  readonly cpu_usage: {
    readonly total_usage: number;
    /** cgroup v1 alone counts each processor. */
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  /** What all processors together were given since the machine started, in nanoseconds. */
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
};

export type MemoryStats = {
  /** As the kernel counts it, page cache included. */
  readonly usage?: number;
  readonly max_usage?: number;
  readonly failcnt?: number;
  /** The machine's memory where the container's is not limited. */
  readonly limit?: number;
  /** Lines of the cgroup's memory.stat. */
  readonly stats?: Readonly<Record<string, number>>;
};

export type BlkioEntry = {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
};
export type BlkioCount =
  | 'io_service_bytes_recursive'
  | 'io_serviced_recursive'
  | 'io_queue_recursive'
  | 'io_service_time_recursive'
  | 'io_wait_time_recursive'
  | 'io_merged_recursive'
  | 'io_time_recursive'
  | 'sectors_recursive';
/** Null where nothing is known, as of a container that is stopped. */
export type BlkioStats = Readonly<Record<BlkioCount, readonly BlkioEntry[] | null>>;

export type NetworkStats = {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
};

export type ContainerStats = {
  readonly name: string;
  readonly id: string;
  /** RFC 3339; `0001-01-01T00:00:00Z` for a container that does not run. */
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: BlkioStats;
  readonly num_procs: number;
  /** Windows alone fills it. */
  readonly storage_stats: object;
  readonly cpu_stats: CpuStats;
  /** The same a moment before: what is used now is the difference. */
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  /** By the interface's name inside; not there where the container has none of its own. */
  readonly networks?: Readonly<Record<string, NetworkStats>>;
};

export type ContainerTop = {
  readonly Titles: readonly string[];
  /** A list of cells for each process; null for none. */
  readonly Processes: readonly (readonly string[])[] | null;
};
