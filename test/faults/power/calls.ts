/**
 * What strace printed, as the calls that matter to a disk, in the order in which they ended. Everything is printed in hexadecimal (`-xx`), so a name or a content
 * can hold anything; a descriptor stands with its path (`-y`). Calls that failed are left out, and so are those that nothing on a disk follows from.
 */

export type Call =
  | { readonly call: 'make'; readonly path: string; readonly mode: number; readonly empties: boolean }
  | { readonly call: 'write'; readonly path: string; readonly data: Buffer; readonly at: number | 'next' }
  | { readonly call: 'copy'; readonly from: string; readonly path: string; readonly length: number }
  | { readonly call: 'truncate'; readonly path: string; readonly length: number }
  | { readonly call: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly call: 'symlink'; readonly target: string; readonly path: string }
  | { readonly call: 'link' | 'rename'; readonly from: string; readonly path: string }
  | { readonly call: 'unlink' | 'rmdir' | 'fsync'; readonly path: string }
  | { readonly call: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly call: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly call: 'syncfs' }
  /** The first process has said this on its standard output. */
  | { readonly call: 'said'; readonly text: string };

/** For `strace -e trace=`. Opening is among them for what it makes, empties, and for which folder a descriptor is. */
export const tracedCalls =
  'open,openat,creat,write,pwrite64,writev,pwritev,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,' +
  'chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,fsync,fdatasync,sync,syncfs,copy_file_range,sendfile,fallocate,chdir';

/** The calls of a whole log. */
export const parseCalls = (log: string): Call[] => {
  const [first = ''] = log.split(' ', 1);
  const opened = new Map<string, string>();
  return wholeLines(log).flatMap((line) => callOf(line, first, opened).filter(isOfDisk));
};

/** Pipes, sockets and what only the kernel has stand with no path. */
const isOfDisk = (call: Call): boolean =>
  !('path' in call) || (call.path.startsWith('/') && !call.path.startsWith('/dev/'));

interface Line {
  readonly pid: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly result: string;
}

/** A call that another thread got in between of stands on two lines: `<unfinished ...>` and `<... write resumed>`. */
const wholeLines = (log: string): Line[] => {
  const begun = new Map<string, string>();
  return log.split('\n').flatMap((text) => {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(text) ?? [];
    if (pid === undefined || rest === undefined) return [];
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(pid, rest.slice(0, -'<unfinished ...>'.length));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed ? `${begun.get(pid) ?? ''}${resumed[1]}` : rest;
    const [, name, args, result] = /^(\w+)\((.*)\) += (.*)$/.exec(whole) ?? [];
    if (name === undefined || args === undefined || result === undefined || result.startsWith('-1')) return [];
    return [{ pid, name, args: argumentsOf(args), result }];
  });
};

/** Nothing printed in hexadecimal holds a comma, but lists in brackets do. */
const argumentsOf = (text: string): string[] => text.match(/\[[^\]]*\]|"[^"]*"|[^,\s][^,]*/g) ?? [];

const callOf = ({ pid, name, args, result }: Line, first: string, opened: Map<string, string>): Call[] => {
  const [a = '', b = '', c = '', d = ''] = args;
  /** A path argument; the tree child's go by way of a descriptor: /proc/self/fd/17/name. */
  const path = (arg: string, base?: string): string => {
    const text = unquoted(arg);
    const [, fd, rest] = /^\/proc\/self\/fd\/(\d+)(\/.*)?$/.exec(text) ?? [];
    if (fd !== undefined) return `${opened.get(`${pid} ${fd}`) ?? '?'}${rest ?? ''}`;
    return text.startsWith('/') ? text : `${base === undefined ? opened.get(`${pid} .`) : pathOf(base)}/${text}`;
  };
  switch (name) {
    case 'open':
    case 'openat': {
      const flags = name === 'open' ? b : c;
      opened.set(`${pid} ${Number.parseInt(result, 10)}`, pathOf(result));
      if (!/O_CREAT|O_TRUNC/.test(flags)) return [];
      const mode = Number.parseInt((name === 'open' ? c : d) || '0', 8) & 0o7777;
      return [{ call: 'make', path: pathOf(result), mode, empties: flags.includes('O_TRUNC') }];
    }
    case 'creat':
      return [{ call: 'make', path: pathOf(result), mode: Number.parseInt(b, 8) & 0o7777, empties: true }];
    case 'write':
      if (pid === first && /^1<\\x70\\x69\\x70\\x65/.test(a)) return [{ call: 'said', text: bytesOf(b).toString() }];
      return [{ call: 'write', path: pathOf(a), data: bytesOf(b).subarray(0, Number(result)), at: 'next' }];
    case 'writev': {
      // Between its parts stand names in clear; sockets are written to like this, and we don't look at what goes over them.
      const parts =
        args
          .slice(1)
          .join()
          .match(/iov_base="[^"]*"/g) ?? [];
      const data = Buffer.concat(parts.map((part) => bytesOf(part.slice('iov_base='.length))));
      return [{ call: 'write', path: pathOf(a), data: data.subarray(0, Number(result)), at: 'next' }];
    }
    case 'pwrite64':
      return [{ call: 'write', path: pathOf(a), data: bytesOf(b).subarray(0, Number(result)), at: Number(d) }];
    case 'copy_file_range':
      return [{ call: 'copy', from: pathOf(a), path: pathOf(c), length: Number(result) }];
    case 'sendfile':
      return [{ call: 'copy', from: pathOf(b), path: pathOf(a), length: Number(result) }];
    case 'truncate':
      return [{ call: 'truncate', path: path(a), length: Number(b) }];
    case 'ftruncate':
      return [{ call: 'truncate', path: pathOf(a), length: Number(b) }];
    case 'mkdir':
      return [{ call: 'mkdir', path: path(a), mode: Number.parseInt(b, 8) }];
    case 'mkdirat':
      return [{ call: 'mkdir', path: path(b, a), mode: Number.parseInt(c, 8) }];
    case 'symlink':
      return [{ call: 'symlink', target: unquoted(a), path: path(b) }];
    case 'symlinkat':
      return [{ call: 'symlink', target: unquoted(a), path: path(c, b) }];
    case 'rename':
    case 'link':
      return [{ call: name, from: path(a), path: path(b) }];
    case 'renameat':
    case 'renameat2':
      if (args[4]?.includes('EXCHANGE')) throw new Error('an exchange of two names is not modelled');
      return [{ call: 'rename', from: path(b, a), path: path(d, c) }];
    case 'linkat':
      return [{ call: 'link', from: path(b, a), path: path(d, c) }];
    case 'unlink':
    case 'rmdir':
      return [{ call: name, path: path(a) }];
    case 'unlinkat':
      return [{ call: c.includes('AT_REMOVEDIR') ? 'rmdir' : 'unlink', path: path(b, a) }];
    case 'chmod':
      return [{ call: 'chmod', path: path(a), mode: Number.parseInt(b, 8) & 0o7777 }];
    case 'fchmod':
      return [{ call: 'chmod', path: pathOf(a), mode: Number.parseInt(b, 8) & 0o7777 }];
    case 'fchmodat':
      return [{ call: 'chmod', path: path(b, a), mode: Number.parseInt(c, 8) & 0o7777 }];
    case 'chown':
    case 'lchown':
      return [{ call: 'chown', path: path(a), uid: Number(b), gid: Number(c) }];
    case 'fchown':
      return [{ call: 'chown', path: pathOf(a), uid: Number(b), gid: Number(c) }];
    case 'fchownat':
      return [{ call: 'chown', path: path(b, a), uid: Number(c), gid: Number(d) }];
    case 'fsync':
    case 'fdatasync':
      return [{ call: 'fsync', path: pathOf(a) }];
    case 'sync':
    case 'syncfs':
      return [{ call: 'syncfs' }];
    case 'chdir':
      // `mkdir -p` goes down folder by folder.
      opened.set(`${pid} .`, path(a));
      return [];
    default:
      throw new Error(`${name} is not modelled: ${args}`);
  }
};

/** `21<\x2f\x74>`: the path that the descriptor leads to. */
const pathOf = (descriptor: string): string => {
  const text = descriptor.slice(descriptor.indexOf('<') + 1, descriptor.lastIndexOf('>'));
  return Buffer.from(text.replaceAll('\\x', ''), 'hex').toString();
};

const bytesOf = (quoted: string): Buffer => {
  if (!quoted.endsWith('"')) throw new Error('strace has cut a content off');
  return Buffer.from(quoted.slice(1, -1).replaceAll('\\x', ''), 'hex');
};

const unquoted = (quoted: string): string => bytesOf(quoted).toString();
