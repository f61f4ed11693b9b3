/**
 * DO_NOT_TRACK: what the variable says. Unset, empty, `0`, `false`, `no`, `off` in any case are no opinion; anything else is a veto.
 *
 * A veto only ever subtracts. No value turns anything on.
 */

const noOpinion: readonly string[] = ['', '0', 'false', 'no', 'off'];

export const isVeto = (value: string | null | undefined): boolean =>
  value !== undefined && value !== null && !noOpinion.includes(value.toLowerCase());
