/**
 * Suppression against a solver that knows nothing of graphs: it takes the raw requests, adds and subtracts the published numbers in every way there is, and
 * looks who is behind the result.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suppress } from '../../../src/telemetry/counting/suppress.ts';
import { makeTally } from '../../../src/telemetry/counting/tally.ts';
import { type Browser, browsers, type PartCounter } from '../../../src/telemetry/part.ts';

interface Request {
  readonly client: number;
  readonly browser: Browser;
  readonly hour: number;
}

const both = ['browser', 'hour', 'day'];

const published = (requests: readonly Request[], k: number, dimensions: readonly string[] = both) => {
  const tally = makeTally(k);
  for (const { client, browser, hour } of requests) tally.add(0, browser, hour, () => client);
  return suppress('opened', tally.atomsOf(0), { smallestGroup: k, dimensions });
};

/** Which requests each published number counts. */
const numbersOf = (counter: PartCounter): ((request: Request) => boolean)[] => [
  ...(counter.total === null ? [] : [() => true]),
  ...Object.keys(counter.browser).map((name) => (request: Request) => request.browser === name),
  ...Object.keys(counter.hour).map((name) => (request: Request) => request.hour === Number(name)),
];

/** The smallest number of clients behind any combination of published numbers with coefficients -1, 0, 1 that has anybody behind it. */
const fewestBehind = (requests: readonly Request[], counter: PartCounter): number => {
  const counted = numbersOf(counter).map((counts) => requests.map((request) => (counts(request) ? 1 : 0)));
  let fewest = Number.POSITIVE_INFINITY;
  const coefficients = counted.map(() => -1);
  for (let combination = 0; combination < 3 ** counted.length; combination += 1) {
    const clients = new Set<number>();
    requests.forEach(({ client }, at) => {
      const weight = coefficients.reduce(
        (all, coefficient, number) => all + coefficient * (counted[number]?.[at] ?? 0),
        0,
      );
      if (weight !== 0) clients.add(client);
    });
    if (clients.size > 0) fewest = Math.min(fewest, clients.size);
    for (let at = 0; at < coefficients.length; at += 1) {
      const next = (coefficients[at] ?? 0) + 1;
      coefficients[at] = next > 1 ? -1 : next;
      if (next <= 1) break;
    }
  }
  return fewest;
};

const requestsOf = (clients: number, families: number, hours: number, most: number) =>
  fc.array(
    fc.record({
      client: fc.integer({ min: 1, max: clients }),
      browser: fc.constantFrom(...browsers.slice(0, families)),
      hour: fc.integer({ min: 0, max: hours - 1 }),
    }),
    { maxLength: most },
  );

const traffic = fc.oneof(
  requestsOf(8, 3, 3, 40),
  requestsOf(14, 2, 4, 60),
  requestsOf(30, 3, 3, 60),
  requestsOf(6, 4, 2, 25),
);
const groups = fc.integer({ min: 2, max: 6 });
const dimensions = fc.constantFrom(both, both, both, ['browser'], ['hour'], []);

test('no number and no difference of numbers has 1 to k-1 clients behind it', () => {
  fc.assert(
    fc.property(traffic, groups, dimensions, (requests, k, declared) => {
      const counter = published(requests, k, declared);
      return counter === undefined || fewestBehind(requests, counter) >= k;
    }),
    { numRuns: 4000 },
  );
}, 300_000);

test('what is published is true', () => {
  fc.assert(
    fc.property(traffic, groups, (requests, k) => {
      const counter = published(requests, k);
      if (counter === undefined) return true;
      const browser = Object.entries(counter.browser).every(
        ([name, count]) => requests.filter((request) => request.browser === name).length === count,
      );
      const hour = Object.entries(counter.hour).every(
        ([name, count]) => requests.filter((request) => request.hour === Number(name)).length === count,
      );
      return browser && hour && (counter.total === null || counter.total === requests.length);
    }),
    { numRuns: 1000 },
  );
});

test('nothing is dropped that could have stayed: whatever is given back breaks the rule', () => {
  fc.assert(
    fc.property(traffic, groups, (requests, k) => {
      const counter = published(requests, k);
      if (counter === undefined) return new Set(requests.map(({ client }) => client)).size < k;
      const more: PartCounter[] = browsers
        .filter((name) => counter.browser[name] === undefined && requests.some(({ browser }) => browser === name))
        .map((name) => ({ ...counter, browser: { ...counter.browser, [name]: 1 } }));
      const hours = [...new Set(requests.map(({ hour }) => String(hour).padStart(2, '0')))];
      for (const hour of hours.filter((each) => counter.hour[each] === undefined)) {
        more.push({ ...counter, hour: { ...counter.hour, [hour]: 1 } });
      }
      if (counter.total === null) more.push({ ...counter, total: 1 });
      return more.every((each) => fewestBehind(requests, each) < k);
    }),
    { numRuns: 700 },
  );
}, 300_000);

test('two parts of a day, added up, keep the rule', () => {
  fc.assert(
    fc.property(traffic, traffic, fc.integer({ min: 2, max: 5 }), (before, after, k) => {
      // Each process draws a key of its own, so nobody can tell that a client is in both.
      const second = after.map((request) => ({ ...request, client: request.client + 1000 }));
      const parts = [
        { requests: before, counter: published(before, k) },
        { requests: second, counter: published(second, k) },
      ];
      return fewestBehindSum(parts) >= k;
    }),
    { numRuns: 600 },
  );
}, 300_000);

/** A report has one number for each name: what of it is missing in a part adds nothing. */
const fewestBehindSum = (
  parts: readonly { requests: readonly Request[]; counter: PartCounter | undefined }[],
): number => {
  const names = new Set(parts.flatMap(({ counter }) => (counter === undefined ? [] : keysOf(counter))));
  const columns = [...names].map((name) =>
    parts.flatMap(({ requests, counter }) => {
      const has = counter !== undefined && keysOf(counter).includes(name);
      return requests.map((request) => (has && feeds(name, request) ? 1 : 0));
    }),
  );
  const clients = parts.flatMap(({ requests }) => requests.map(({ client }) => client));
  let fewest = Number.POSITIVE_INFINITY;
  const walk = (at: number, weights: readonly number[]): void => {
    if (at === columns.length) {
      const behind = new Set(clients.filter((_, index) => weights[index] !== 0)).size;
      if (behind > 0) fewest = Math.min(fewest, behind);
      return;
    }
    for (const coefficient of [-1, 0, 1])
      walk(
        at + 1,
        coefficient === 0
          ? weights
          : weights.map((weight, index) => weight + coefficient * (columns[at]?.[index] ?? 0)),
      );
  };
  walk(
    0,
    clients.map(() => 0),
  );
  return fewest;
};

const keysOf = ({ total, browser, hour }: PartCounter): string[] => [
  ...(total === null ? [] : ['total']),
  ...Object.keys(browser),
  ...Object.keys(hour),
];

const feeds = (name: string, { browser, hour }: Request): boolean =>
  name === 'total' || name === browser || (/^\d\d$/.test(name) && Number(name) === hour);

const many = (from: number, count: number, browser: Browser, hour: number): Request[] =>
  Array.from({ length: count }, (_, at) => ({ client: from + at, browser, hour }));

test('11 people, 10 of them with Firefox: the total would show the one, so one more number goes', () => {
  const requests = [...many(0, 10, 'firefox', 9), ...many(10, 1, 'opera', 9)];
  expect(published(requests, 5, ['browser'])).toEqual({ name: 'opened', total: 11, browser: {}, hour: {} });
});

test('with more families the total stays, and the smallest of them joins the rest', () => {
  const requests = [...many(0, 30, 'chrome', 9), ...many(30, 10, 'firefox', 9), ...many(40, 1, 'opera', 9)];
  expect(published(requests, 5)).toEqual({ name: 'opened', total: 41, browser: { chrome: 30 }, hour: { '09': 41 } });
});

test('one person who comes a thousand times is one person', () => {
  const requests = Array.from({ length: 1000 }, () => many(1, 1, 'chrome', 9)).flat();
  expect(published(requests, 5)).toBeUndefined();
});

test('an hour and a family that differ by one visitor are not both told', () => {
  // All of Firefox came at 9, and one Chrome did too: the difference of the two numbers would be that one.
  const requests = [...many(0, 10, 'firefox', 9), ...many(10, 1, 'chrome', 9), ...many(20, 20, 'chrome', 10)];
  const counter = published(requests, 5);
  expect(counter?.total).toBe(31);
  expect(counter?.browser['firefox'] !== undefined && counter.hour['09'] !== undefined).toBe(false);
});

test('common traffic is told in full, or nearly', () => {
  const families: Browser[] = ['chrome', 'firefox', 'safari', 'edge', 'chrome-mobile', 'safari-mobile'];
  const office = Array.from({ length: 400 }, (_, client) =>
    [9, 10, 11, 13, 14, 15, 16].map((hour) => ({ client, browser: families[client % 6] ?? 'other', hour })),
  ).flat();
  const counter = published(office, 5);
  expect(counter?.total).toBe(2800);
  expect(Object.keys(counter?.browser ?? {})).toHaveLength(6);
  expect(Object.keys(counter?.hour ?? {})).toHaveLength(7);
});

test('sixty people over a day keep a total, their families, and most hours', () => {
  const families: Browser[] = ['chrome', 'chrome', 'chrome', 'firefox', 'firefox', 'safari-mobile'];
  const requests = Array.from({ length: 60 }, (_, client) =>
    Array.from({ length: 8 }, (_, step) => ({
      client,
      browser: families[client % 6] ?? 'other',
      hour: 7 + ((client * 7 + step * 5) % 12),
    })),
  ).flat();
  const counter = published(requests, 5);
  expect(counter?.total).toBe(480);
  expect(Object.keys(counter?.browser ?? {}).length).toBeGreaterThanOrEqual(2);
  expect(Object.keys(counter?.hour ?? {}).length).toBeGreaterThanOrEqual(8);
});

test('it ends soon on whatever graph: all families, all hours, few visitors in each', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (const clients of [12, 40, 100, 300, 1000]) {
    const requests = Array.from({ length: clients * 3 }, () => ({
      client: random(clients),
      browser: browsers[random(browsers.length)] ?? 'other',
      hour: random(24),
    }));
    for (const k of [5, 20, 50]) {
      const counter = published(requests, k);
      if (clients >= 40 && k === 5) expect(counter?.total).toBe(clients * 3);
    }
  }
}, 60_000);
