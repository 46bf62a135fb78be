import type { PlantedBug } from '../planted-bugs.ts'

const join = 'joiner/join.ts'
const parts = 'joiner/joiner-parts.ts'
const job = 'joiner/joiner-job.ts'
const rowsOfFeed = 'joiner/rows-of-feed.ts'

/** Bugs that cost a row, a label or the once in exactly once. The simulation has to find each. */
export const joinerBugs: readonly PlantedBug[] = [
  {
    name: 'checkpoint-before-rows',
    means: 'the checkpoint is written before the rows that it commits',
    edits: [{ file: parts, find: 'await writer.flush()\n', replace: '\n' }],
  },
  {
    name: 'uncommitted-rows-kept',
    means: 'rows that no checkpoint committed stay and are written again',
    edits: [
      {
        file: 'rows/row-segments.ts',
        find: 'if (segment.sequence < next) segments.push(segment)',
        replace:
          'segments.push(segment)\n  sequence = Math.max(next, ...segments.map((segment) => segment.sequence + 1))',
      },
    ],
  },
  {
    name: 'half-written-file-kept',
    means: 'a file of rows whose write failed but was done stays next to the one that is written for it',
    edits: [{ file: 'rows/row-segments.ts', find: 'if (!isClean) await clean()', replace: '' }],
  },
  {
    name: 'read-records-read-again',
    means: 'records before the position of the checkpoint are taken again',
    edits: [{ file: job, find: 'if (record.position < done) continue', replace: '' }],
  },
  {
    name: 'decided-before-written',
    means: 'a decision is forgotten before its rows are written, so a refused file loses them',
    edits: [
      {
        file: 'joiner/write-outcomes.ts',
        find: 'await writeOne(sink, outcome)\n    join.taken()',
        replace: 'join.taken()\n    await writeOne(sink, outcome)',
      },
    ],
  },
  {
    name: 'early-actions-lost',
    means: 'an action that names a feed and comes before its record is not matched',
    edits: [{ file: join, find: 'of held.of(feed.feedId)', replace: 'of held.of("")' }],
  },
  {
    name: 'held-actions-not-saved',
    means: 'actions that wait for their feed are forgotten by a restart',
    edits: [{ file: join, find: 'for (const action of state.held) held.push(action)', replace: '' }],
  },
  {
    name: 'window-by-reading',
    means: 'whether an action is late depends on when the window was closed, not on when the action arrived',
    edits: [{ file: join, find: 'if (action.arrivedMs < feed.closeMs && ', replace: 'if (!feed.closed && ' }],
  },
  {
    name: 'watermark-of-the-fastest',
    means: 'windows close when the fastest partition has passed them',
    edits: [
      { file: 'joiner/watermark.ts', find: 'Math.min(...readTo.values())', replace: 'Math.max(...readTo.values())' },
    ],
  },
  {
    name: 'clock-passes-unread-records',
    means: 'the clock closes windows although the log was not read to its end',
    edits: [{ file: job, find: '>= end) open.watermark.lift', replace: '>= 0) open.watermark.lift' }],
  },
  {
    name: 'late-labels-lost',
    means: 'a late action is counted, but its row is not written again',
    edits: [{ file: join, find: 'if (feed.closed) correct(feed, pin, action)', replace: 'if (feed.closed) return' }],
  },
  {
    name: 'late-before-closing-lost',
    means: 'a late action that is read before the window closes changes nothing',
    edits: [{ file: join, find: 'for (const { pin, act } of late) correct(feed, pin, act)', replace: '' }],
  },
  {
    name: 'first-feed-instead-of-last',
    means: 'an action without a feed is given to the first feed that showed the pin',
    edits: [{ file: join, find: 'feed.atMs > last.atMs ||', replace: 'feed.atMs < last.atMs ||' }],
  },
  {
    name: 'repeated-feed-joined-again',
    means: 'a record of a feed that comes twice makes its rows twice',
    edits: [
      { file: join, find: "if (feeds.has(feed.feedId)) return drop(feed.pinIds.length, 'repeated')", replace: '' },
    ],
  },
  {
    name: 'spill-file-deleted-at-once',
    means: 'a file of waiting feeds is deleted before the checkpoint that no longer needs it',
    edits: [
      {
        file: 'joiner/shelf.ts',
        find: 'entries.delete(feedId)\n',
        replace: 'entries.delete(feedId)\n      void sweep().catch(() => undefined)\n',
      },
    ],
  },
  {
    name: 'spilled-bytes-shifted',
    means: 'the second record in a file is read from the wrong place',
    edits: [
      {
        file: 'joiner/shelf.ts',
        find: 'from: at, to: (at += record?.length ?? 0)',
        replace: 'from: 0, to: (at += record?.length ?? 0)',
      },
    ],
  },
  {
    name: 'unshown-as-negatives',
    means: 'candidates that were not shown count as shown',
    edits: [{ file: rowsOfFeed, find: 'Number(pin >= 0)', replace: '1' }],
  },
  {
    name: 'sampling-by-revision',
    means: 'a correction draws again whether its row is kept',
    edits: [
      {
        file: rowsOfFeed,
        find: '${row.candidate.pinId}`, seed)',
        replace: '${row.candidate.pinId}`, seed + row.revision)',
      },
    ],
  },
  {
    name: 'impressions-never-sampled',
    means: 'a row with an impression alone is kept as if the user had acted',
    edits: [{ file: 'joiner/labels.ts', find: "(bits & ~bitOf('impression')) !== 0", replace: 'bits !== 0' }],
  },
]
