/** A notice with all dimensions, as MailDev's manifest would make it, for tests of parts, reports and previews. */
import { makeNotice, noticeId } from '../../src/consent/notice.ts';
import type { ProductName } from '../../src/values.ts';

const notice = makeNotice(
  {
    name: 'maildev' as ProductName,
    title: 'MailDev',
    telemetry: {
      counters: [
        { name: 'mailbox-opened', title: 'mailbox opened', routes: ['GET /email'] },
        { name: 'message-deleted', title: 'message deleted', routes: ['DELETE /email/:id'] },
      ],
      dimensions: ['browser', 'hour'],
      smallestGroup: 5,
      period: 'week',
      retentionDays: 90,
      recipient: { name: 'Example', endpoint: 'https://example.org/v1/metrics', policy: 'https://example.org/policy' },
    },
  },
  {},
);
if (notice === null) throw new Error('a product with telemetry has a notice');

export const exampleNotice = notice;
export const exampleNoticeId = noticeId(notice);
