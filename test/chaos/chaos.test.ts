import { describe, expect, it } from 'vitest'
import { shortScale } from './row.ts'
import { chaosRows } from './rows.ts'
import { formatResult } from './report.ts'
import { runRow } from './run-row.ts'

/** The rows of the short form; kill -9 of each service and a silent or emptied Redis are in the system tests. */
const shortRows = ['updater-stopped', 'redis-replaced', 'kafka-restarted', 'clocks-off', 'partition-blender-redis']

describe('chaos, short form: each accepted event is in the features exactly once', () => {
  it.for(shortRows)('%s', { timeout: 240_000 }, async (name, { skip }) => {
    const row = chaosRows.find((each) => each.name === name)!
    const result = await runRow(row, {
      scale: shortScale,
      eventsPerSecond: 200,
      feedsPerSecond: 20,
      users: 300,
      seed: 1,
      patient: true,
      repeats: 1,
    })
    if ('absent' in result) {
      if (process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(result.absent)
      return skip(result.absent)
    }
    console.log(formatResult(result))
    expect(result.problems).toEqual([])
    expect(result.recoveriesMs.length).toBeGreaterThan(0)
    expect(result.oracle.applied).toBeGreaterThan(500)
    expect(result.oracle.late).toBeGreaterThan(0)
  })
})
