/**
 * What is done to the text of an output before it is written.
 *
 * Builtin modules are fetched by `process.getBuiltinModule` instead of `import`: for an import, Node builds a module with every export of the
 * builtin, and calls their getters for it, which loads parts of Node that nobody uses (7 ms of a start of 40, most of it for node:crypto).
 * Functions of node:crypto are fetched when they are called, since loading it takes a fifth of a bare start, and `--version` needs none.
 * Libraries in CommonJS call `require` and know `__dirname`, which a module has not: outputs that mention them get one.
 */
import { builtinModules } from 'node:module';
import { basename } from 'node:path';

const builtin = '"((?:node:)?[a-z_/]+)"';
/** As esbuild writes it, white space taken out, where a statement begins. */
const builtinImport = new RegExp(
  `(?<=^|[;}\\n])import\\s*((?:[\\w$]+,?)?(?:\\{[^}]*\\}|\\*as [\\w$]+)?)\\s*from${builtin};`,
  'g',
);
const fetch = 'globalThis.process.getBuiltinModule';

/** All of it, for an output of the program. @param {string} text @param {import('esbuild').Metafile} metafile */
export function finished(text, metafile) {
  return withCommonJsNames(withQuickBuiltins(withoutUnusedHelpers(text, metafile)));
}

/** Not for the bootstrap: Node 18 has no `getBuiltinModule`. @param {string} text */
export function withQuickBuiltins(text) {
  /** @type {string[]} */
  const taken = [];
  const body = text.replace(builtinImport, (all, clause, name) => {
    if (!name.startsWith('node:') && !builtinModules.includes(name)) return all;
    taken.push(...declarations(clause.trim(), `${fetch}("${name}")`));
    return '';
  });
  return (taken.length > 0 ? `const ${taken.join(',')};\n` : '') + body;
}

/** @param {string} text */
export function withCommonJsNames(text) {
  let names = '';
  if (/\brequire\b/.test(text)) names += `const require=${fetch}("node:module").createRequire(import.meta.url);`;
  if (/\b__(?:dirname|filename)\b/.test(text))
    names += 'const __dirname=import.meta.dirname,__filename=import.meta.filename;';
  return names === '' ? text : `${names}\n${text}`;
}

/** `a,{b,c as d}` or `*as e`, as declarations. @param {string} clause @param {string} module */
function declarations(clause, module) {
  const { whole, all, named } =
    /^(?<whole>[\w$]+)?,?(?:\*as (?<all>[\w$]+)|\{(?<named>[^}]*)\})?$/.exec(clause)?.groups ?? {};
  const names = (named ?? '').split(',').filter((name) => name !== '');
  const pairs = names.map((name) => name.trim().split(' as ')).map(([name = '', local = name]) => ({ name, local }));
  const isLate = (/** @type {string} */ name) => module.includes('crypto"') && /^(?:create|random)[A-Z]/.test(name);
  const others = pairs.filter(({ name }) => name !== 'default' && !isLate(name));
  return [
    ...[whole, all, ...pairs.filter(({ name }) => name === 'default').map(({ local }) => local)].flatMap((local) =>
      local === undefined ? [] : `${local}=${module}`,
    ),
    ...pairs
      .filter(({ name }) => isLate(name))
      .map(({ name, local }) => `${local}=(...all)=>${module}.${name}(...all)`),
    ...(others.length > 0
      ? [`{${others.map(({ name, local }) => (name === local ? name : `${name}:${local}`)).join(',')}}=${module}`]
      : []),
  ];
}

/**
 * An entry of esbuild's imports its helpers, a chunk of its own, even if it uses none of them; they do nothing until they are called.
 * @param {string} text @param {import('esbuild').Metafile} metafile
 */
function withoutUnusedHelpers(text, { outputs }) {
  const helpers = Object.keys(outputs).filter((path) => Object.keys(outputs[path]?.inputs ?? {}).length === 0);
  const names = helpers.map((path) => basename(path));
  return text.replace(/(?<=^|[;}\n])import"\.\/(?:chunks\/)?([^"/]+)";/g, (all, name) =>
    names.includes(name) ? '' : all,
  );
}
