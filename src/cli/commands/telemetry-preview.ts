/**
 * `assent telemetry preview [NAME | PRODUCT[@VERSION]]`: the bytes of a report, before anybody has agreed to one. Of an installation
 * with consent in force they are the real numbers; of everything else an example, said beside the bytes.
 *
 * It only looks, apart from the one page that --html asks for.
 */

import { Failure } from '../../errors.ts';
import { reportContentType } from '../../telemetry/report.ts';
import { paragraph } from '../../ui/layout.ts';
import { previewLines, textLines } from '../../ui/views/preview.ts';
import type { Run } from '../invocation.ts';
import { previewAbout } from '../preview-about.ts';
import { pageAsked, writePage } from '../preview-file.ts';

export const run: Run = async (invocation) => {
  const { world, flags, look } = invocation;
  if (flags.raw && flags.json) {
    throw new Failure(
      'usage-option',
      'Give --raw or --json, not both.',
      'With --json the bytes are in "preview.text". Nothing was changed.',
    );
  }
  const file = flags.html === undefined ? undefined : pageAsked(world, flags.html);
  const preview = await previewAbout(invocation);
  if (preview === null) {
    const text = 'This product declares no telemetry: nothing would be counted, and there is no report.';
    return {
      result: { outcome: 'unchanged', changed: false, preview: null },
      screen: flags.raw ? [] : paragraph(text, { indent: 2, columns: look.columns }),
    };
  }
  if (file !== undefined) writePage(world, file, preview);
  const { report, notice } = preview;
  return {
    result: {
      outcome: 'unchanged',
      changed: false,
      preview: {
        example: preview.example,
        endpoint: notice.recipient?.endpoint ?? null,
        contentType: reportContentType,
        bytes: report?.bytes.length ?? 0,
        text: report === undefined ? '' : Buffer.from(report.bytes).toString('utf8'),
        from: report?.from ?? null,
        to: report?.to ?? null,
        numbers: report?.numbers ?? 0,
        waiting: preview.waiting,
        aside: preview.aside,
        ...(file === undefined ? {} : { page: file }),
      },
    },
    screen: flags.raw
      ? textLines(preview)
      : file === undefined
        ? previewLines(preview, look)
        : [
            `  ${look.paint.good(look.symbols.done)} ${preview.example ? 'An example report' : 'The report'} as a page: ${file}`,
          ],
  };
};
