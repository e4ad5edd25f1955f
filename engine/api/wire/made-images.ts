/** The shapes of what is said of images that are made here, and of how images came to be. */

export type ImageHistory = {
  /** `<missing>` for a step whose image is not here. */
  readonly Id: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
};
