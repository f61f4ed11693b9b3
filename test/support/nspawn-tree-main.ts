/** Makes what a box is booted from, under the lock of whoever starts this. */
import { makeTree } from './nspawn-tree.ts';

makeTree();
