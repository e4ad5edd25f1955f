/** What a prune of containers took away. */
export type ContainersPruned = {
  /** Ids; null where there was nothing to take away. */
  readonly ContainersDeleted: readonly string[] | null;
  /** Bytes that they had written. */
  readonly SpaceReclaimed: number;
};
