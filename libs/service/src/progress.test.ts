import { describe, expect, it } from 'vitest'
import { createProgress } from './progress.ts'

function shown(isTTY: boolean, total: number | null) {
  const written: string[] = []
  let now = 0
  const progress = createProgress({
    label: 'replaying',
    unit: 'events',
    total,
    out: { isTTY, write: (text: string) => written.push(text) },
    nowMs: () => now,
  })
  return { written, progress, pass: (ms: number) => (now += ms) }
}

describe('progress', () => {
  it('writes one line every ten seconds without a terminal', () => {
    const { written, progress, pass } = shown(false, 40_000)
    for (let i = 0; i < 200; i++) {
      pass(100)
      progress.advance(100)
    }
    expect(written).toEqual([
      'replaying: 10,000 of 40,000 (25 %) events, 1,000/s, 30 s left\n',
      'replaying: 20,000 of 40,000 (50 %) events, 1,000/s, 20 s left\n',
    ])
  })

  it('rewrites its line on a terminal', () => {
    const { written, progress, pass } = shown(true, null)
    pass(500)
    progress.advance(5)
    expect(written).toEqual(['\r\u001b[Kreplaying: 5 events, 10/s'])
  })

  it('ends with how many, how long, how fast', () => {
    const { written, progress, pass } = shown(false, null)
    pass(5_000)
    progress.advance(50)
    progress.done()
    expect(written).toEqual(['replaying: 50 events in 5.0 s, 10/s\n'])
  })
})
