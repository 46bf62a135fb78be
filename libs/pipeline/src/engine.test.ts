import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { EngineClock } from './clock.ts'
import { createEngine } from './engine.ts'
import { PipelineCancelled, PipelineError } from './errors.ts'
import { pipeline } from './pipeline.ts'
import type { RunRecord } from './record.ts'
import { keep, type Filter, type Scorer, type Selector, type SideEffect, type Source } from './stage.ts'

interface Request {
  readonly wanted: number
}

interface Pins {
  readonly ids: readonly number[]
}

interface Scores {
  readonly scores: Float32Array
}

function createFakeClock(): EngineClock & { advance(ms: number): Promise<void>; readonly waiting: number } {
  let nowMs = 1_000
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()
  return {
    nowMs: () => nowMs,
    after(ms, callback) {
      const timer = { dueMs: nowMs + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      nowMs += ms
      for (const timer of timers) {
        if (timer.dueMs > nowMs) continue
        timers.delete(timer)
        timer.callback()
      }
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
    get waiting() {
      return timers.size
    },
  }
}

const numbers: Source<Request, Pins> = {
  kind: 'source',
  name: 'numbers',
  policy: 'required',
  run: ({ wanted }) => ({ columns: { ids: Array.from({ length: wanted }, (_, i) => i) }, size: wanted }),
}

const noOdd: Filter<Request, Pins> = {
  kind: 'filter',
  name: 'no-odd',
  policy: 'fail-closed',
  reasons: ['odd'],
  prepare:
    (_request, { ids }) =>
    (row) =>
      (ids[row] ?? 0) % 2 === 1 ? 0 : keep,
}

const identity: Scorer<Request, Pins, Scores> = {
  kind: 'scorer',
  name: 'identity',
  policy: 'required',
  run: (_request, { columns }) => ({ scores: Float32Array.from(columns.ids) }),
}

const best: Selector<Request, Pins & Scores> = {
  kind: 'selector',
  name: 'best',
  policy: 'required',
  run: (_request, { columns: { scores }, rows }) => ({
    rows: rows.slice().sort((a, b) => (scores[b] as number) - (scores[a] as number)),
  }),
}

function first<Columns>(count: number): Selector<Request, Columns> {
  return {
    kind: 'selector',
    name: 'first',
    policy: 'required',
    run: (_request, { rows }) => ({ rows: rows.slice(0, count) }),
  }
}

const never = () => new Promise<never>(() => {})

describe('engine', () => {
  test('runs stages in order and records what each did', async () => {
    const clock = createFakeClock()
    const observed: RunRecord[] = []
    const engine = createEngine({ clock, observe: (record) => observed.push(record) })
    const plan = pipeline<Request>('home')
      .hydrate({ kind: 'context', name: 'twice', policy: 'required', run: ({ wanted }) => ({ twice: wanted * 2 }) })
      .source({
        ...numbers,
        run: ({ twice }: { readonly twice: number }) => ({
          columns: { ids: Array.from({ length: twice }, (_, i) => i) },
          size: twice,
        }),
      })
      .filter(noOdd)
      .score(identity)
      .select(best)
      .select(first(2))
    const { context, columns, rows, record } = await engine.run(plan, { wanted: 3 }, { timeoutMs: 100 })
    expect(context.twice).toBe(6)
    expect([...rows].map((row) => columns.ids[row])).toEqual([4, 2])
    expect(record.stages.map(({ stage, candidatesIn, candidatesOut }) => [stage, candidatesIn, candidatesOut])).toEqual(
      [
        ['twice', 0, 0],
        ['numbers', 0, 6],
        ['no-odd', 6, 3],
        ['identity', 3, 3],
        ['best', 3, 3],
        ['first', 3, 2],
      ],
    )
    expect(record.stages[2]?.removed).toEqual({ odd: 3 })
    expect(record.fates.of(1)).toEqual({ stage: 'no-odd', reason: 'odd' })
    expect(record.fates.of(0)).toEqual({ stage: 'first', reason: 'not-selected' })
    expect(record.fates.of(4)).toEqual({ position: 0 })
    expect(() => record.fates.of(6)).toThrow(RangeError)
    expect(observed).toEqual([record])
    expect(clock.waiting).toBe(0)
  })

  test('times stages by the given clock', async () => {
    const clock = createFakeClock()
    const slow: Source<Request, Pins> = {
      ...numbers,
      run: async (request, call) => {
        await clock.advance(7)
        return numbers.run(request, call)
      },
    }
    const { record } = await createEngine({ clock }).run(
      pipeline<Request>('p').source(slow),
      { wanted: 1 },
      { timeoutMs: 50 },
    )
    expect(record.stages[0]?.tookMs).toBe(7)
    expect(record.tookMs).toBe(7)
  })

  test('leaves out an optional stage that fails, uses its replacement and records its code', async () => {
    const engine = createEngine({ clock: createFakeClock(), errorCode: () => 'MODEL_MISSING' })
    const failing: Scorer<Request, Pins, Scores> = {
      ...identity,
      policy: 'optional',
      run: () => Promise.reject(new Error('no model')),
      otherwise: (_request, { size }) => ({ scores: new Float32Array(size).fill(0.5) }),
    }
    const { columns, record } = await engine.run(
      pipeline<Request>('p').source(numbers).score(failing),
      { wanted: 2 },
      { timeoutMs: 50 },
    )
    expect([...columns.scores]).toEqual([0.5, 0.5])
    expect(record.stages[1]).toMatchObject({
      outcome: 'left-out',
      error: 'MODEL_MISSING',
      cause: new Error('no model'),
    })
  })

  test('a required stage that fails ends the run, with the record of what ran', async () => {
    const engine = createEngine({ clock: createFakeClock() })
    const down: Source<Request, Pins> = { ...numbers, run: () => Promise.reject(new Error('down')) }
    const plan = pipeline<Request>('p').source(down).filter(noOdd)
    const error = await engine.run(plan, { wanted: 2 }, { timeoutMs: 50 }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PipelineError)
    expect((error as PipelineError).stage).toBe('numbers')
    expect((error as PipelineError).context).toEqual({ wanted: 2 })
    expect((error as PipelineError).cause).toEqual(new Error('down'))
    expect((error as PipelineError).record).toMatchObject({
      outcome: 'failed',
      stages: [{ outcome: 'failed', error: 'STAGE_FAILED' }],
    })
  })

  test('a filter without a verdict keeps every row, and its record is that of one that keeps each', async () => {
    const judged = await run([{ ...noOdd, prepare: () => () => keep }])
    const unjudged = await run([{ ...noOdd, prepare: () => null }])
    expect([...unjudged.rows]).toEqual([0, 1, 2])
    expect(unjudged.record.stages).toEqual(judged.record.stages)
    expect(unjudged.record.fates.codes).toEqual(judged.record.fates.codes)

    function run([filter]: readonly [Filter<Request, Pins>]) {
      const engine = createEngine({ clock: createFakeClock() })
      return engine.run(pipeline<Request>('p').source(numbers).filter(filter), { wanted: 3 }, { timeoutMs: 50 })
    }
  })

  test.each([
    'throws synchronously',
    'rejects',
    'throws at a row',
    'gives an unknown reason',
    'misses its budget',
  ] as const)('a filter that %s removes everything if it fails closed, and nothing if it is optional', async (how) => {
    for (const policy of ['fail-closed', 'optional'] as const) {
      const clock = createFakeClock()
      const broken: Filter<Request, Pins> = {
        ...noOdd,
        policy,
        budget: { ms: 10, share: 1 },
        prepare: () => {
          if (how === 'throws synchronously') throw new Error('broken')
          if (how === 'rejects') return Promise.reject(new Error('broken'))
          if (how === 'misses its budget') return never()
          if (how === 'gives an unknown reason') return (row) => (row === 1 ? 5 : keep)
          return (row) => {
            if (row === 1) throw new Error('broken')
            return keep
          }
        },
      }
      const running = createEngine({ clock }).run(
        pipeline<Request>('p').source(numbers).filter(broken),
        { wanted: 3 },
        { timeoutMs: 50 },
      )
      await clock.advance(10)
      const { rows, record } = await running
      expect([...rows]).toEqual(policy === 'optional' ? [0, 1, 2] : [])
      expect(record.stages[1]?.outcome).toBe(policy === 'optional' ? 'left-out' : 'failed-closed')
      expect(record.stages[1]?.removed).toEqual(policy === 'optional' ? {} : { 'not-judged': 3 })
      if (policy === 'fail-closed') expect(record.fates.of(0)).toEqual({ stage: 'no-odd', reason: 'not-judged' })
    }
  })

  test('aborts and leaves out a stage that misses its budget; its late answer changes nothing', async () => {
    const clock = createFakeClock()
    let seen: AbortSignal | null = null
    let seenTimeoutMs: number | null = null
    let answerLate: (found: { columns: Pins; size: number }) => void = () => {}
    const slow: Source<Request, Pins> = {
      ...numbers,
      policy: 'optional',
      budget: { ms: 20, share: 0.5 },
      run: (_request, { signal, timeoutMs }) => {
        seenTimeoutMs = timeoutMs
        seen = signal
        return new Promise((resolve) => {
          answerLate = resolve
        })
      },
      otherwise: () => ({ columns: { ids: [] }, size: 0 }),
    }
    const running = createEngine({ clock }).run(pipeline<Request>('p').source(slow), { wanted: 3 }, { timeoutMs: 30 })
    await clock.advance(14)
    expect(seen!).toMatchObject({ aborted: false })
    await clock.advance(1)
    answerLate({ columns: { ids: [1] }, size: 1 })
    const { rows, record } = await running
    expect(seenTimeoutMs).toBe(15)
    expect(seen!).toMatchObject({ aborted: true })
    expect(rows).toHaveLength(0)
    expect(record.stages[0]).toMatchObject({ outcome: 'left-out', error: 'STAGE_TIMED_OUT', tookMs: 15 })
  })

  test('does not begin a stage if no time is left for it', async () => {
    const clock = createFakeClock()
    let begun = 0
    const effect = (name: string): SideEffect<Request, Pins> => ({
      kind: 'side-effect',
      name,
      policy: 'optional',
      budget: { ms: 100, share: 1 },
      run: () => {
        begun++
        return never()
      },
    })
    const running = createEngine({ clock }).run(
      pipeline<Request>('p').source(numbers).sideEffect(effect('one')).sideEffect(effect('two')),
      { wanted: 1 },
      { timeoutMs: 30 },
    )
    await clock.advance(30)
    const { record } = await running
    expect(begun).toBe(1)
    expect(record.stages.map(({ outcome }) => outcome)).toEqual(['ran', 'left-out', 'left-out'])
  })

  test('if no time is left, uses synchronous answers of stages without a budget, and waits for no other', async () => {
    const effect = (name: string, run: SideEffect<Request, Pins>['run']): SideEffect<Request, Pins> => ({
      kind: 'side-effect',
      name,
      policy: 'optional',
      run,
    })
    let signal: AbortSignal | undefined
    const { rows, record } = await createEngine({ clock: createFakeClock() }).run(
      pipeline<Request>('p')
        .source(numbers)
        .sideEffect(effect('at-once', () => undefined))
        .sideEffect(
          effect('later', (_request, _slate, call) => {
            signal = call.signal
            return never()
          }),
        )
        .sideEffect(effect('broken', () => Promise.reject(new Error('heard by nobody')))),
      { wanted: 2 },
      { timeoutMs: 0 },
    )
    expect(rows).toHaveLength(2)
    expect(record.stages.map(({ outcome }) => outcome)).toEqual(['ran', 'ran', 'left-out', 'left-out'])
    expect(record.stages.map(({ error }) => error)).toEqual([null, null, 'STAGE_TIMED_OUT', 'STAGE_TIMED_OUT'])
    expect(signal?.aborted).toBe(true)
  })

  test('reads a budget from the request', async () => {
    const timeouts: number[] = []
    const source: Source<Request & { readonly sourceMs: number }, Pins> = {
      ...numbers,
      budget: ({ sourceMs }) => ({ ms: sourceMs, share: 0.25 }),
      run: (request, call) => {
        timeouts.push(call.timeoutMs)
        return numbers.run(request, call)
      },
    }
    const engine = createEngine({ clock: createFakeClock() })
    const plan = pipeline<Request & { readonly sourceMs: number }>('p').source(source)
    await engine.run(plan, { wanted: 1, sourceMs: 5 }, { timeoutMs: 8_000 })
    await engine.run(plan, { wanted: 1, sourceMs: Infinity }, { timeoutMs: 8_000 })
    expect(timeouts).toEqual([5, 2_000])
  })

  test('a cancelled run ends immediately, aborts the current stage and begins no later stage', async () => {
    const clock = createFakeClock()
    const stop = new AbortController()
    let aborted: unknown = null
    let later = false
    const observed: RunRecord[] = []
    const plan = pipeline<Request>('p')
      .source({
        ...numbers,
        policy: 'optional',
        run: (_request, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason
          })
          return never()
        },
        otherwise: () => ({ columns: { ids: [] }, size: 0 }),
      })
      .filter({
        ...noOdd,
        prepare: () => {
          later = true
          return () => keep
        },
      })
    const running = createEngine({ clock, observe: (record) => observed.push(record) }).run(
      plan,
      { wanted: 1 },
      { timeoutMs: 100, signal: stop.signal },
    )
    const reason = new Error('gone')
    stop.abort(reason)
    const error = await running.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PipelineCancelled)
    expect((error as PipelineCancelled).cause).toBe(reason)
    expect(aborted).toBe(reason)
    expect(later).toBe(false)
    expect(observed.map(({ outcome }) => outcome)).toEqual(['cancelled'])
    expect(clock.waiting).toBe(0)
  })

  test.each([
    ['takes a row twice', [0, 0]],
    ['takes a row that a filter removed', [1]],
    ['takes a row beyond the columns', [9]],
    ['takes a negative row', [-1]],
  ])('a selector that %s fails', async (_how, taken) => {
    const plan = pipeline<Request>('p')
      .source(numbers)
      .filter(noOdd)
      .select({ kind: 'selector', name: 'odd-one', policy: 'required', run: () => ({ rows: Int32Array.from(taken) }) })
    const error = await createEngine({ clock: createFakeClock() })
      .run(plan, { wanted: 4 }, { timeoutMs: 50 })
      .catch((thrown: unknown) => thrown)
    expect((error as PipelineError).record.stages.at(-1)).toMatchObject({
      error: 'STAGE_ANSWER_INVALID',
      outcome: 'failed',
    })
  })

  describe('a selector', () => {
    interface Gaps {
      readonly gaps: Int32Array
    }

    /** Puts the rows of `last` behind the others, and leaves out those of `out`, each for its reason. */
    const spaced = (last: readonly number[], out: readonly number[] = []): Selector<Request, Pins, Gaps> => ({
      kind: 'selector',
      name: 'spaced',
      policy: 'optional',
      reasons: ['low', 'twice'],
      moveReasons: ['same-creator', 'explored'],
      run: (_request, { rows, size }) => ({
        rows: Int32Array.from([
          ...[...rows].filter((row) => !last.includes(row) && !out.includes(row)),
          ...last.filter((row) => !out.includes(row)),
        ]),
        columns: { gaps: new Int32Array(size).fill(2) },
        moved: { rows: Int32Array.from(last), reasons: Uint8Array.from(last, (_, at) => at % 2) },
        leftFor: (row) => row % 2,
      }),
      otherwise: (_request, { rows, size }) => ({ rows, columns: { gaps: new Int32Array(size) } }),
    })
    const run = (selector: Selector<Request, Pins, Gaps>, wanted = 5) =>
      createEngine({ clock: createFakeClock() }).run(
        pipeline<Request>('p').source(numbers).select(selector),
        { wanted },
        { timeoutMs: 50 },
      )

    test('adds columns, and reports the rows that it moved or left out, with reasons', async () => {
      const { rows, columns, record } = await run(spaced([1, 4], [2, 3]))
      expect([...rows]).toEqual([0, 1, 4])
      expect([...columns.gaps]).toEqual([2, 2, 2, 2, 2])
      const { moves, removed, candidatesOut } = record.stages[1]!
      // Row 1 kept its position, so it is not a move.
      expect([moves!.rows, moves!.from, moves!.to].map((column) => [...column])).toEqual([[4], [4], [2]])
      expect([...moves!.reasons].map((reason) => moves!.reasonNames[reason])).toEqual(['explored'])
      expect(removed).toEqual({ low: 1, twice: 1 })
      expect(candidatesOut).toBe(3)
      expect([2, 3].map((row) => record.fates.of(row))).toEqual([
        { stage: 'spaced', reason: 'low' },
        { stage: 'spaced', reason: 'twice' },
      ])
    })

    test.each([
      ['an unknown reason of a move', { moveReasons: ['one'] }, [0, 1]],
      ['a move of a row that it did not take', {}, [9]],
      ['an unknown reason of a row left out', { reasons: [] }, [0]],
    ])('is replaced if it answers %s, and the slate does not change', async (_what, changed, last) => {
      const out = last.includes(0) && 'reasons' in changed ? [1] : []
      const { rows, columns, record } = await run({ ...spaced(last, out), ...changed })
      expect(record.stages[1]).toMatchObject({ outcome: 'left-out', error: 'STAGE_ANSWER_INVALID', moves: null })
      expect([...rows]).toEqual([0, 1, 2, 3, 4])
      expect([...columns.gaps]).toEqual([0, 0, 0, 0, 0])
      expect([0, 1, 2, 3, 4].map((row) => record.fates.of(row))).toEqual(
        [0, 1, 2, 3, 4].map((position) => ({ position })),
      )
    })

    test('that misses its budget is replaced', async () => {
      const clock = createFakeClock()
      const running = createEngine({ clock }).run(
        pipeline<Request>('p')
          .source(numbers)
          .select({ ...spaced([]), budget: { ms: 10, share: 1 }, run: never }),
        { wanted: 2 },
        { timeoutMs: 50 },
      )
      await clock.advance(10)
      const { rows, record } = await running
      expect([...rows]).toEqual([0, 1])
      expect(record.stages[1]).toMatchObject({ outcome: 'left-out', error: 'STAGE_TIMED_OUT' })
    })
  })

  test('a run that ends early keeps the fates so far', async () => {
    const plan = pipeline<Request>('p')
      .source(numbers)
      .filter(noOdd)
      .score({ ...identity, run: () => Promise.reject(new Error('down')) })
    const error = await createEngine({ clock: createFakeClock() })
      .run(plan, { wanted: 3 }, { timeoutMs: 50 })
      .catch((thrown: unknown) => thrown)
    const { fates } = (error as PipelineError).record
    expect([0, 1, 2].map((row) => fates.of(row))).toEqual([
      { position: 0 },
      { stage: 'no-odd', reason: 'odd' },
      { position: 1 },
    ])
  })

  test('rejects two stages with the same name', () => {
    expect(() => pipeline<Request>('p').source(numbers).filter(noOdd).filter(noOdd)).toThrow(RangeError)
  })
})

describe('laws', () => {
  const verdicts = fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 60 })
  const byVerdict = (of: readonly number[], name: string): Filter<Request, Pins> => ({
    kind: 'filter',
    name,
    policy: 'fail-closed',
    reasons: ['a', 'b', 'c'],
    prepare:
      (_request, { ids }) =>
      (row) =>
        of[ids[row] as number] ?? keep,
  })

  test('kept ∪ removed = input, disjoint, and the counts by reason add up', async () => {
    await fc.assert(
      fc.asyncProperty(verdicts, verdicts, fc.nat(10), async (one, two, take) => {
        const plan = pipeline<Request>('p')
          .source(numbers)
          .filter(byVerdict(one, 'one'))
          .filter(byVerdict(two, 'two'))
          .select(first(take))
        const { rows, size, record } = await createEngine({ clock: createFakeClock() }).run(
          plan,
          { wanted: 60 },
          { timeoutMs: 50 },
        )
        const kept = new Set(rows)
        let gone = 0
        for (let row = 0; row < size; row++) {
          const fate = record.fates.of(row)
          if ('position' in fate) expect(rows[fate.position]).toBe(row)
          else gone++
          expect('position' in fate).toBe(kept.has(row))
        }
        expect(kept.size + gone).toBe(60)
        const counted = record.stages.flatMap(({ removed }) => Object.values(removed)).reduce((sum, n) => sum + n, 0)
        expect(counted).toBe(gone)
        for (const { candidatesIn, candidatesOut, removed, kind } of record.stages) {
          if (kind === 'source') continue
          expect(candidatesIn - candidatesOut).toBe(Object.values(removed).reduce((sum, n) => sum + n, 0))
        }
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  test('moves equal the difference of positions before and after a selector, whatever its order', async () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 20 }, (_, row) => row),
      { minLength: 1 },
    )
    await fc.assert(
      fc.asyncProperty(order, fc.array(fc.nat(19)), async (taken, reported) => {
        const moved = [...new Set(reported)].filter((row) => taken.includes(row))
        const plan = pipeline<Request>('p')
          .source(numbers)
          .select({
            kind: 'selector',
            name: 'shuffled',
            policy: 'required',
            moveReasons: ['shuffled'],
            run: () => ({
              rows: Int32Array.from(taken),
              moved: { rows: Int32Array.from(moved), reasons: new Uint8Array(moved.length) },
            }),
          })
        const { record } = await createEngine({ clock: createFakeClock() }).run(plan, { wanted: 20 }, { timeoutMs: 50 })
        const { moves } = record.stages[1]!
        const found = moves === null ? [] : [...moves.rows].map((row, at) => [row, moves.from[at], moves.to[at]])
        // Rows are in numeric order, so a row's number is its old position.
        const expected = moved.filter((row) => taken.indexOf(row) !== row).map((row) => [row, row, taken.indexOf(row)])
        expect(found).toEqual(expected)
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  test('filters keep the same rows in any order of filters and of scores', async () => {
    const run = async (order: readonly Filter<Request, Pins>[], scores: readonly number[]) => {
      const scored = pipeline<Request>('p')
        .source(numbers)
        .score({ ...identity, run: () => ({ scores: Float32Array.from(scores) }) })
        .select(best)
      const plan = order.reduce((stages, filter) => stages.filter(filter), scored)
      const { rows } = await createEngine({ clock: createFakeClock() }).run(plan, { wanted: 60 }, { timeoutMs: 50 })
      return [...rows].sort((a, b) => a - b)
    }
    const scores = fc.array(fc.float({ noNaN: true }), { minLength: 60, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(verdicts, verdicts, scores, scores, async (one, two, s, t) => {
        const filters = [byVerdict(one, 'one'), byVerdict(two, 'two')]
        expect(await run(filters, s)).toEqual(await run([...filters].reverse(), t))
      }),
      { seed: 7, numRuns: 60 },
    )
  })
})
