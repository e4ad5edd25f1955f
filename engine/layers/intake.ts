/** What takes a layer's archive in as it comes. Disposed of before it has finished, it leaves what it has begun. */
export type Intake = Disposable & {
  readonly push: (chunk: Buffer) => void;
  /** All is there: when it returns, it is on disk for good. */
  readonly finish: () => { readonly sizeBytes: number };
};
