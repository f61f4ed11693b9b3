/** What help says of the operands of commands, each by the way commander writes it. */
export const operands = {
  '[name]': 'name of the instance, where there are several',
  '[name|product]': 'name of the instance, or a product of the catalogue; PRODUCT@VERSION for one of its releases',
  '[product]':
    'its name in the catalogue, or the path of a manifest; PRODUCT@VERSION for another release than the newest',
  '<product>': 'its name in the catalogue, or the path of a manifest',
  '<file>': 'path of the manifest',
} as const;

export type Operand = keyof typeof operands;
