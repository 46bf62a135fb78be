import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { observeDisks } from './disk-space.ts'
import { createMetrics } from './metrics.ts'

it('the metrics have the space of the disk of each folder that is set, and none of one that is gone', async () => {
  const metrics = createMetrics()
  observeDisks(
    { 'data.folder': tmpdir(), snapshotFolder: null, checkpointFolder: join(tmpdir(), 'not-there') },
    metrics,
  )
  const text = await metrics.text()
  const valueOf = (name: string) =>
    Number(new RegExp(`^freshet_disk_${name}_bytes{folder="data.folder"} (\\d+)`, 'm').exec(text)?.[1])
  expect(valueOf('size')).toBeGreaterThan(1e6)
  expect(valueOf('free')).toBeGreaterThanOrEqual(0)
  expect(valueOf('free')).toBeLessThanOrEqual(valueOf('size'))
  expect(text).not.toContain('snapshotFolder')
  expect(text).toMatch(/free_bytes\{folder="checkpointFolder"\} Nan/i)
})
