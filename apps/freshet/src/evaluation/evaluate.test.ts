import { Degradation } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { describe, expect, it } from 'vitest'
import { evaluate, formatAsk, type AnswerLine, type Ask, type EvaluationTarget } from './evaluate.ts'
import { parseLine, type RecordingLine } from './recording.ts'

async function* linesOf(...lines: readonly object[]): AsyncGenerator<RecordingLine> {
  for (const [at, line] of lines.entries()) yield parseLine(JSON.stringify(line), `test:${at + 1}`)
}

const question = (target: string | readonly string[], more: object = {}): object => ({
  question: { at: '2026-01-01T00:00:00.000Z', userId: 'u', target, ...more },
})

/** Answers every ask with the pins given for it. */
function targetOf(
  answers: Readonly<Record<string, readonly string[]>>,
): EvaluationTarget & { readonly calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    pin: async () => void calls.push('pin'),
    engagement: async () => void calls.push('engagement'),
    mark: async (name) => void calls.push(`mark ${name}`),
    ask: async (_question, ask) => {
      const name = formatAsk(ask ?? { kind: 'feed' })
      calls.push(name)
      return { pinIds: answers[name] ?? [], degradation: Degradation.NONE }
    },
    close: async () => undefined,
  }
}

const options = { cutoffs: [1, 3], every: 1, elapsedMs: () => 0 }
const candidates: Ask = { kind: 'candidates' }

describe('evaluate', () => {
  it('reports exactly the names that the protocol defines', async () => {
    const [report] = await evaluate(linesOf(question('a', { group: 'g' })), targetOf({ candidates: ['b', 'a'] }), {
      ...options,
      asks: [candidates],
    })
    const figures = { 'hr@1': 0, 'mrr@1': 0, 'ndcg@1': 0, 'hr@3': 1, 'mrr@3': 0.5, 'ndcg@3': 1 / Math.log2(3) }
    expect(report).toEqual({
      questions: 1,
      answered: 1,
      metrics: figures,
      byGroup: { g: { questions: 1, ...figures } },
      meanOverGroups: figures,
      'coverage@1': 1,
      'coverage@3': 2,
      events: 0,
      seconds: 0,
      eventsPerSecond: 0,
      latencyMs: { p50: 0, p99: 0 },
    })
  })

  it('asks each question once per ask, and reports each ask separately', async () => {
    const target = targetOf({ candidates: ['a'], 'source:popularity+pin2vec': ['b'], 'without:popularity': [] })
    const asks: readonly Ask[] = [
      candidates,
      { kind: 'source', sources: ['popularity', 'pin2vec'] },
      { kind: 'without', sources: ['popularity'] },
    ]
    const reports = await evaluate(linesOf(question('a'), question('a')), target, { ...options, asks })
    expect(target.calls).toEqual([...asks, ...asks].map(formatAsk))
    expect(reports.map(({ metrics }) => metrics['hr@3'])).toEqual([1, 0, 0])
    expect(reports.map(({ answered }) => answered)).toEqual([2, 2, 0])
  })

  it('asks only every nth question, and gives the target all other lines', async () => {
    const target = targetOf({ candidates: ['a'] })
    const answers: AnswerLine[] = []
    const lines = linesOf(question('a'), { mark: 'm' }, question('a'), { pin: {} }, question('z'), { engagement: {} })
    const [report] = await evaluate(lines, target, {
      ...options,
      asks: [candidates],
      every: 2,
      onAnswer: (answer) => answers.push(answer),
    })
    expect(target.calls).toEqual(['candidates', 'mark m', 'pin', 'candidates', 'engagement'])
    expect(answers).toEqual([
      { question: 1, rank: 1, top: ['a'], latencyMs: 0, degradation: Degradation.NONE },
      { question: 3, rank: 0, top: ['a'], latencyMs: 0, degradation: Degradation.NONE },
    ])
    expect(report).toMatchObject({ questions: 2, events: 2 })
  })

  it('gives the ranks of several targets in their order', async () => {
    const answers: AnswerLine[] = []
    const [report] = await evaluate(linesOf(question(['c', 'x', 'a'])), targetOf({ candidates: ['a', 'b', 'c'] }), {
      ...options,
      asks: [candidates],
      onAnswer: (answer) => answers.push(answer),
    })
    expect(answers[0]!.rank).toEqual([3, 0, 1])
    expect(report!.metrics['hr@3']).toBeCloseTo(2 / 3)
    expect(report!.metrics['mrr@3']).toBe(1)
  })

  it('writes no more pin ids of an answer than the largest cut-off', async () => {
    const answers: AnswerLine[] = []
    await evaluate(linesOf(question('a')), targetOf({ candidates: ['d', 'c', 'b', 'a'] }), {
      ...options,
      asks: [candidates],
      onAnswer: (answer) => answers.push(answer),
    })
    expect(answers[0]!.top).toEqual(['d', 'c', 'b'])
  })

  it('asks only questions of the window, applies what is before its end, and reads nothing after it', async () => {
    const target = targetOf({ candidates: ['a'] })
    const at = (day: number): object => question('a', { at: `2026-01-0${day}T00:00:00.000Z` })
    const lines = linesOf(at(1), { mark: 'm' }, at(2), at(3), { pin: {} }, at(4), { mark: 'late' })
    const [report] = await evaluate(lines, target, {
      ...options,
      asks: [candidates],
      window: { fromMs: Date.UTC(2026, 0, 2), untilMs: Date.UTC(2026, 0, 4) },
    })
    expect(target.calls).toEqual(['mark m', 'candidates', 'candidates', 'pin'])
    expect(report).toMatchObject({ questions: 2, events: 1 })
  })
})
