/** What `doctor` found, for people: the worst first, each with its remedy. */
import type { Finding } from '../../change/doctor/finding.ts';
import { printable, several, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const doctorLines = (findings: readonly Finding[], checks: number, look: Look): string[] => {
  const { paint, symbols } = look;
  const marks = {
    problem: paint.bad(symbols.failed),
    warning: paint.caution(symbols.caution),
    note: symbols.dot,
  } as const;
  const shown = (['problem', 'warning', 'note'] as const).flatMap((level) =>
    findings
      .filter((finding) => finding.level === level)
      .flatMap((finding) => findingLines(finding, marks[level], look)),
  );
  const good = findings.every(({ level }) => level === 'note');
  return [
    ...shown,
    `  ${good ? paint.good(symbols.done) : symbols.dot} ${several(checks, 'check')} made${good ? ', all is well' : ''}.`,
  ];
};

const findingLines = ({ instance, message, remedy }: Finding, mark: string, { paint, columns }: Look): string[] => {
  const text = `${instance === null ? '' : `${instance}: `}${printable(message)}`;
  const block = (lines: string): string[] => wrap(lines, columns - 4);
  return [
    ...block(text).map((line, at) => `  ${at === 0 ? mark : ' '} ${line}`),
    ...block(printable(remedy)).map((line) => `    ${paint.faint(line)}`),
  ];
};
