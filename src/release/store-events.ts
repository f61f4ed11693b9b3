/** Who is told how fetching, unpacking and compiling go on. */
export interface StoreEvents {
  /** Bytes while something is loaded, files while it is unpacked. `total` is an estimate that grows where it was too low. */
  progress(progress: { readonly done: number; readonly total: number; readonly unit: 'bytes' | 'files' }): void;
  note(text: string): void;
}
