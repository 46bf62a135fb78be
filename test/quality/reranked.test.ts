import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootstrapMean } from './bootstrap.ts'
import { writeRecording } from './convert.ts'
import { createDraw, type Line } from './draws.ts'
import { runFreshet } from './freshet.ts'
import { rerank } from './reranked.ts'
import { unordered } from './unordered.ts'

const spec = join(import.meta.dirname, 'specs/next.rank')
const startMs = Date.UTC(2026, 0, 5)
const minuteMs = 60_000
const clicks = 2_000
/** A click a minute. */
const timeOf = (click: number): string => new Date(startMs + click * minuteMs).toISOString()
/** Questions begin with click 800; those before click 1,400 are learned from. */
const split = timeOf(1_400)

/**
 * Forty users. After a pause of half an hour a user goes back to the pin before the last one; before that, they take what is
 * popular. The merge knows both kinds of pins, but not when which of them is next.
 */
function* linesOfPauses(): Generator<Line> {
  const { draw, unit, zipf } = createDraw(11)
  const taken = new Map<number, number[]>()
  const last = new Map<number, number>()
  for (let click = 0; click < clicks; click++) {
    const user = draw(40)
    const own = taken.get(user) ?? []
    const beforeLast = own.at(-2)
    const isBack = click - (last.get(user) ?? click) > 30 && unit() < 0.9
    const pin = isBack && beforeLast !== undefined ? beforeLast : zipf(300)
    const who = { userId: `u${user}`, sessionId: `s${user}` }
    if (click >= 800) yield { question: { at: timeOf(click), ...who, target: `p${pin}` } }
    yield {
      engagement: { eventId: `e${click}`, ...who, action: 'click', pinId: `p${pin}`, occurredAt: timeOf(click) },
    }
    taken.set(user, [...own, pin])
    last.set(user, click)
  }
}

/** The small form of `reranked.ts` on invented sessions. */
describe('candidates re-ranked by a spec that was learned on earlier questions', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'freshet-reranked-'))
  const recording = join(scratch, 'recording.jsonl')

  beforeAll(async () => {
    await writeRecording(linesOfPauses(), recording)
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  it('put the target nearer to the top than the merge does', { timeout: 900_000 }, async () => {
    const folder = join(scratch, 'learned')
    const set = { spec, repeats: 'allow', split } as const
    const { figures, questions } = await rerank(set, { recording, spec, folder, every: 2, learnEvery: 2 })
    expect(questions).toBeGreaterThan(200)
    const { merged, reranked, difference } = figures['mrr@20']
    expect(reranked).toBeGreaterThan(merged + 0.005)
    expect(difference.mean).toBeCloseTo(reranked - merged, 9)
    expect(difference.high).toBeGreaterThan(difference.low)

    const rows = gunzipSync(readFileSync(join(folder, 'rows.jsonl.gz')))
      .toString()
      .trimEnd()
      .split('\n')
    const times = rows.map((text) => (JSON.parse(text) as { readonly values: { readonly at: number } }).values.at)
    expect(Math.max(...times)).toBeLessThan(Date.parse(split))
    // A model is not asked what it was told.
    const model = join(folder, 'model/model.freshet')
    const early = ['evaluate', recording, '--ask', 'feed', '--model', model, '--from', timeOf(1_000)]
    await expect(runFreshet(early)).rejects.toThrow('ended with code 78')
  })

  it('keep the order of the merge until something is learned', { timeout: 900_000 }, async () => {
    const answers = join(scratch, 'answers.jsonl')
    const config = join(scratch, 'unordered.json')
    writeFileSync(config, JSON.stringify({ blender: unordered }))
    await runFreshet([
      ...[
        'evaluate',
        recording,
        '--ask',
        'candidates,feed',
        '--repeats',
        'allow',
        '--every',
        '20',
        '--json',
        '--config',
        config,
      ],
      ...['--answers', answers, '--until', split],
    ])
    const lines = readFileSync(answers, 'utf8').trimEnd().split('\n')
    const top = lines.map((text) => (JSON.parse(text) as { readonly top: readonly string[] }).top)
    expect(top.length).toBeGreaterThan(50)
    for (let at = 0; at < top.length; at += 2) expect(top[at + 1]).toEqual(top[at])
  })
})

describe('the interval of a mean', () => {
  it('holds the mean, is the same again, and narrows with more values', () => {
    const values = (count: number): Float64Array => Float64Array.from({ length: count }, (_, at) => (at % 3) - 1)
    const [few, many] = [bootstrapMean(values(60)), bootstrapMean(values(6_000))]
    for (const { mean, low, high } of [few, many]) {
      expect(low).toBeLessThan(mean)
      expect(high).toBeGreaterThan(mean)
    }
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 5)
    expect(bootstrapMean(values(60))).toEqual(few)
  })
})
