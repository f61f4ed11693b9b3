/**
 * Whoever may write a folder decides what lies in it. As root we therefore never walk, copy or delete inside data ourselves:
 * a child that runs as the server's account does, and can do no more harm than that account.
 */

import type { Account } from '../instance/state.ts';
import type { TreeOptions } from '../system/tree.ts';

export const treeOptions = ({ account }: { readonly account: Account | null }): TreeOptions =>
  account === null ? {} : { as: { uid: account.uid, gid: account.gid } };
