/** What a piece of our code really asks of the kernel, as strace sees it; without strace the test is skipped, saying so. */
import { spawnSync } from 'node:child_process';

const filesModule = new URL('../../src/system/files.ts', import.meta.url).href;

/** The system calls on files, one a line (`fsync(17)`), of an expression with the functions of files.ts at hand. */
export const tracedCalls = (skip: (note: string) => unknown, expression: string): string[] => {
  const code = `const files = await import(${JSON.stringify(filesModule)}); with_(files); function with_({ writeDurably }) { ${expression}; }`;
  const watched = 'trace=open,openat,fsync,fdatasync,rename,renameat,renameat2';
  const command = ['-f', '-qq', '-e', watched, process.execPath, '--input-type=module', '-e', code];
  const { status, stderr, error } = spawnSync('strace', command, { encoding: 'utf8' });
  if (error) skip('strace is not there');
  if (status !== 0) skip(`strace does not work here: ${stderr.slice(-200)}`);
  return stderr.split('\n').map((line) => line.replace(/^\[pid +\d+\] /, ''));
};
