import { numberSetting, seedSetting, wholeSetting } from '@freshet/settings/setting'
import { z } from 'zod'

/** Settings of the joiner. */
export const joinerSchema = z.strictObject({
  windowMs: wholeSetting(1_800_000, {
    description: 'What a user does within this time after a feed was requested labels the rows of the feed',
    unit: 'ms',
    min: 1_000,
    max: 86_400_000,
  }),
  deliveryMs: wholeSetting(30_000, {
    description:
      'The joiner waits this long for records that reach the log late. Rows are written twice this time after their window',
    unit: 'ms',
    min: 0,
    max: 3_600_000,
  }),
  lateWindowMs: wholeSetting(21_600_000, {
    description:
      'For this time after a window closed, a late action corrects the row. 0: late actions are only counted',
    unit: 'ms',
    min: 0,
    max: 604_800_000,
  }),
  negativeRate: numberSetting(1, {
    description:
      'Share of the rows without an action that are kept. Each kept row has the weight 1 / share. Which rows are kept depends on feed and pin alone',
    unit: 'share',
    min: 0.001,
    max: 1,
  }),
  maxFeeds: wholeSetting(200_000, {
    description: 'At most this many feeds wait. Beyond it the oldest window closes early',
    unit: 'feeds',
    min: 1,
    max: 10_000_000,
  }),
  maxActions: wholeSetting(500_000, {
    description: 'At most this many actions wait for the record of their feed. Beyond it the oldest is left out',
    unit: 'actions',
    min: 1,
    max: 10_000_000,
  }),
  maxMemoryBytes: wholeSetting(67_108_864, {
    description:
      'Records of waiting feeds use at most this memory. Others are in files of the checkpoint folder; without the folder, windows close early',
    unit: 'bytes',
    min: 65_536,
    max: 2 ** 36,
  }),
  maxSegmentRows: wholeSetting(20_000, {
    description: 'A file of rows is written when it would have this many rows, and at each checkpoint',
    unit: 'rows',
    min: 1,
    max: 1_000_000,
  }),
  maxRows: wholeSetting(5_000_000, {
    description: 'The newest rows up to this number are kept',
    unit: 'rows',
    min: 1,
    max: 1_000_000_000,
  }),
  maxRowAgeDays: wholeSetting(30, {
    description: 'Files of rows whose feeds are all older are deleted',
    unit: 'days',
    min: 1,
    max: 3_650,
  }),
  advanceIntervalMs: wholeSetting(1_000, {
    description: 'Time between two looks whether windows can close while no records come',
    unit: 'ms',
    min: 100,
    max: 600_000,
  }),
  seed: seedSetting('Seed of the sampling of rows without an action'),
})

/** Settings of the joiner, parsed. */
export type JoinerConfig = z.output<typeof joinerSchema>
