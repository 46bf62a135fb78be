import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { candidateServiceSchema } from '@freshet/candidate-service/config'
import { topics } from '@freshet/contracts/topics'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { trainerSchema } from '@freshet/trainer/config'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'apps/freshet/README.md'), 'utf8')
const [, section = ''] = readme.split('## What remains after an erasure, and for how long')
const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '))
const dayMs = 86_400_000

/** Parts of the names of messages that contain data of users. */
const ofUsers = ['.engagement.', '.feed.']

describe('A26 · the table of what remains after an erasure', () => {
  it('names every topic with data of users, with its retention', () => {
    for (const [name, { message, retentionMs }] of Object.entries(topics)) {
      if (!ofUsers.some((part) => message.includes(part))) continue
      const row = rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``))
      expect(row, `${name} has no row`).toBeDefined()
      expect(row).toContain(retentionMs === null ? 'permanently' : `retention of ${retentionMs / dayMs} days`)
    }
  })

  it('shows settings with their defaults', () => {
    const defaults = {
      'candidates.snapshotIntervalMs': candidateServiceSchema.parse({}).snapshotIntervalMs,
      'trainer.checkpointIntervalMs': trainerSchema.parse({}).checkpointIntervalMs,
      'fold.dedupeTtlMs': updaterConfigOf().fold.dedupeTtlMs,
    }
    for (const [name, value] of Object.entries(defaults)) expect(section).toContain(`\`${name}\` (${value} ms)`)
  })
})
