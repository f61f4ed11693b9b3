/**
 * Runs in a browser, inside the preview's page: draws a bar chart above each table that asks for one. The numbers are read from the tables,
 * so that there is nothing in the pictures that is not in the page as text, and everything can be read where scripts are off.
 *
 * Nothing is loaded or sent: the page's policy forbids it, and this script has no need of it.
 */

import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from 'chart.js';

/** The little of a browser that is used here: the project's types know none. */
interface Element {
  readonly textContent: string;
  readonly rows: Iterable<{ readonly cells: readonly Element[] }>;
  readonly tBodies: readonly Element[];
  readonly style: { height: string };
  className: string;
  setAttribute(name: string, value: string): void;
  getAttribute(name: string): string | null;
  before(element: Element): void;
  append(element: Element): void;
}
declare const document: {
  readonly documentElement: Element;
  createElement(name: string): Element;
  querySelectorAll(selector: string): Iterable<Element>;
};
declare const getComputedStyle: (element: Element) => { getPropertyValue(name: string): string };
declare const matchMedia: (query: string) => { addEventListener(event: 'change', listener: () => void): void };

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);
Chart.defaults.font.family = 'system-ui, sans-serif';

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const rowsOf = (table: Element): { label: string; count: number }[] =>
  [...(table.tBodies[0]?.rows ?? [])].map(({ cells }) => ({
    label: cells[0]?.textContent ?? '',
    count: Number((cells[1]?.textContent ?? '').replaceAll(/\D/g, '')),
  }));

const draw = (table: Element): Chart => {
  const rows = rowsOf(table);
  const lying = table.getAttribute('data-chart') === 'lying';
  const box = document.createElement('div');
  const canvas = document.createElement('canvas');
  box.className = 'chart';
  box.style.height = lying ? `${40 + rows.length * 28}px` : '220px';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${table.getAttribute('aria-label') ?? ''}: the table below has the numbers`);
  box.append(canvas);
  table.before(box);
  // Numbers as the table below has them; lines only where there is something to measure.
  const ticks = { color: colour('text'), precision: 0, format: { useGrouping: false } };
  const axis = { ticks, grid: { color: colour('line') }, border: { color: colour('line') }, beginAtZero: true };
  const named = { ...axis, grid: { display: false } };
  return new Chart(canvas as never, {
    type: 'bar',
    data: {
      labels: rows.map(({ label }) => label),
      datasets: [{ data: rows.map(({ count }) => count), backgroundColor: colour('bar'), maxBarThickness: 28 }],
    },
    options: {
      indexAxis: lying ? 'y' : 'x',
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      scales: lying ? { x: axis, y: named } : { x: named, y: axis },
    },
  });
};

interface Axis {
  readonly ticks: { color: string };
  readonly grid: { color: string };
  readonly border: { color: string };
}

const recolour = (chart: Chart): void => {
  for (const { ticks, grid, border } of Object.values(chart.options.scales ?? {}) as unknown as Axis[]) {
    ticks.color = colour('text');
    for (const line of [grid, border]) line.color = colour('line');
  }
  for (const dataset of chart.data.datasets) dataset.backgroundColor = colour('bar');
  chart.update();
};

const charts = [...document.querySelectorAll('table[data-chart]')].map(draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(recolour));
