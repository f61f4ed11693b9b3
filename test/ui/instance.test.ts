/** An instance for people: what is not there any more is not told. */
import { expect, it } from 'vitest';
import { loadPaint, symbolsFor } from '../../src/ui/paint.ts';
import type { InstanceView } from '../../src/ui/result.ts';
import { detailLines } from '../../src/ui/views/instance.ts';

const look = { paint: await loadPaint(false), symbols: symbolsFor({ LANG: 'C.UTF-8' }), columns: 80 };
const instance: InstanceView = {
  name: 'mail',
  product: 'maildev',
  title: 'MailDev',
  version: '3.0.0',
  previous: null,
  generation: 1,
  supervisor: 'process',
  state: 'running',
  health: 'healthy',
  urls: {},
  paths: {},
};

it('tells what keeps a server, but of none that is uninstalled', () => {
  expect(detailLines(instance, look).join('\n')).toContain('kept by');
  expect(detailLines({ ...instance, version: null }, look).join('\n')).not.toContain('kept by');
});
