import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/change/plan.ts';
import { assemblePlan } from '../../src/change/plan.ts';
import type { ReleaseRef } from '../../src/instance/state.ts';

const release = (version: string): ReleaseRef =>
  ({ product: 'maildev', version, digest: '0123456789ab' }) as ReleaseRef;

const facts = (given: Partial<Facts>): Facts => ({
  kind: 'install',
  instance: 'maildev' as Facts['instance'],
  productTitle: 'MailDev',
  from: null,
  to: release('3.0.0'),
  generation: 1,
  stateDigest: 'd',
  dangers: [],
  warnings: [],
  space: [],
  fetch: { packages: 267, download: 31_000_000, installed: 112_000_000 },
  runtime: { version: '24.21.0', bytes: 55_000_000 },
  program: true,
  data: null,
  rehearses: false,
  account: null,
  wasRunning: false,
  staysRunning: true,
  supervised: true,
  configFiles: 1,
  asksConsent: true,
  purge: false,
  keepsBackup: false,
  trialMinutes: 0,
  stopSeconds: 0.5,
  startSeconds: 2,
  ...given,
});

const upgrade = facts({
  kind: 'upgrade',
  from: release('2.2.1'),
  data: { bytes: 5, files: 1, from: 'now' },
  wasRunning: true,
  generation: 2,
});

const ids = (given: Facts): string[] => assemblePlan(given).steps.map((step) => step.id);

describe('the plan', () => {
  it('puts everything slow before the change, and the yes before the start', () => {
    const order = ids(upgrade);
    const precedes = (one: string, other: string): void =>
      expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
    for (const slow of ['fetch', 'runtime', 'program', 'render', 'first-copy']) precedes(slow, 'generation');
    precedes('stop', 'second-copy');
    precedes('second-copy', 'data');
    precedes('consent', 'start');
    precedes('start', 'health');
    expect(order.at(-1)).toBe('prune');
  });

  it('tries the release at last, while the server answers and nothing is opened; and only where that can be done', () => {
    const order = ids({ ...upgrade, rehearses: true });
    const at = order.indexOf('rehearse');
    expect(order.slice(at - 1, at + 2)).toEqual(['first-copy', 'rehearse', 'generation']);
    const step = assemblePlan({ ...upgrade, rehearses: true }).steps.find(({ id }) => id === 'rehearse');
    expect(step).toMatchObject({ phase: 'prepare', downtime: false, undo: null, bytes: 5 });
    expect(step?.title).toBe('try 3.0.0 on a copy, in a network that leads nowhere');
    expect(ids(upgrade)).not.toContain('rehearse');
  });

  it('is downtime exactly from the stop to the start of an upgrade', () => {
    const down = assemblePlan(upgrade).steps.filter((step) => step.downtime);
    expect(down.map((step) => step.id)).toEqual([
      'stop',
      'second-copy',
      'data',
      'config',
      'current',
      'state',
      'consent',
      'service',
      'start',
    ]);
    expect(assemblePlan(upgrade).downtimeSeconds).toBe(3);
  });

  it('has no downtime and stops nothing where nothing runs', () => {
    const plan = assemblePlan(facts({}));
    expect(plan.steps.some((step) => step.downtime)).toBe(false);
    expect(ids(facts({}))).not.toContain('stop');
    expect(plan.downtimeSeconds).toBe(0);
  });

  it('leaves a server that was stopped stopped', () => {
    expect(ids({ ...upgrade, wasRunning: false, staysRunning: false })).toContain('rest');
  });

  it('takes the data of then as it lies, without a second pass', () => {
    const rollback = { ...upgrade, kind: 'rollback' as const, data: { bytes: 5, files: 1, from: 'then' as const } };
    expect(ids(rollback)).not.toContain('second-copy');
  });

  it('fetches nothing that is there', () => {
    const order = ids(facts({ fetch: null, runtime: null, program: false }));
    expect(order[0]).toBe('render');
  });

  it('makes and removes the system user only where there is one to make', () => {
    expect(ids(facts({ account: 'assent-maildev' }))).toContain('account');
    expect(ids(facts({}))).not.toContain('account');
  });

  it('deletes data only for a purge, and only behind the commit', () => {
    const uninstall = facts({ kind: 'uninstall', from: release('3.0.0'), to: null, wasRunning: true });
    expect(ids(uninstall)).not.toContain('purge');
    const purge = assemblePlan({ ...uninstall, purge: true }).steps.find((step) => step.id === 'purge');
    expect(purge?.phase).toBe('after');
  });

  it('names each step once, and says how every step that can be undone is undone', () => {
    for (const given of [facts({}), upgrade, facts({ kind: 'uninstall', from: release('3.0.0'), to: null })]) {
      const { steps } = assemblePlan(given);
      expect(new Set(steps.map((step) => step.id)).size).toBe(steps.length);
      const silent = steps.filter((step) => step.phase === 'change' && step.undo === null).map((step) => step.id);
      expect(silent.every((id) => ['health', 'rest'].includes(id))).toBe(true);
    }
  });
});
