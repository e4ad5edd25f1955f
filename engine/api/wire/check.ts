/** What a check of the engine's store says: how far it is, what is wrong, and at its end how it went. */
export type CheckLine =
  | { readonly progress: { readonly done: number; readonly total: number } }
  | { readonly finding: CheckFinding }
  | { readonly summary: CheckSummary };

export type CheckFinding = {
  /** What kind of thing it is about. */
  readonly kind: 'database' | 'blob' | 'layer' | 'volume' | 'container' | 'mount';
  /** Which one: a digest, an id, a name. */
  readonly what: string;
  readonly where: string;
  readonly problem: string;
  /** What a repair does, or what else is to be done. */
  readonly repair: string;
  /** `found`: no repair was asked for. `left`: it could not be repaired, and `why` says the reason. */
  readonly outcome: 'found' | 'repaired' | 'left';
  readonly why?: string;
};

export type CheckSummary = {
  /** Things that were looked at. */
  readonly checked: number;
  readonly found: number;
  readonly repaired: number;
};
