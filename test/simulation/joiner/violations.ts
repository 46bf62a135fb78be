import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { hash32 } from '@freshet/domain/hash'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import type { JoinerStats } from '@freshet/trainer/joiner/joiner-job'
import { expectedRows } from '@freshet/trainer/joiner/reference.fixture'
import { featureOf, type ActFixture, type SlateFixture } from '@freshet/trainer/joiner/served.fixture'
import type { JoinWindows } from '@freshet/trainer/joiner/waiting-feed'
import { readRows } from '@freshet/trainer/rows/read-rows'

/** A record as it reached the log. */
export type Logged = { readonly arrivedMs: number } & ({ readonly slate: SlateFixture } | { readonly act: ActFixture })

interface Row {
  readonly key: string
  readonly revision: number
  readonly actions: readonly string[]
  readonly isShown: boolean
  readonly problem: string | null
}

/** Rows that the files hold more than once, at any moment. */
export async function doubledRows(files: ArtefactStore): Promise<readonly string[]> {
  const seen = new Set<string>()
  const doubled: string[] = []
  for (const { key, revision } of await rowsIn(files)) {
    const name = `${key} revision ${revision}`
    if (seen.has(name)) doubled.push(`${name} is there twice`)
    seen.add(name)
  }
  return doubled
}

/** Compares the files and counts with the law. */
export async function joinerViolations(found: {
  readonly logged: readonly Logged[]
  readonly files: ArtefactStore
  readonly stats: JoinerStats | null
  readonly windows: JoinWindows
  readonly negativeRate: number
  readonly seed: number
}): Promise<readonly string[]> {
  const { logged, files, stats, windows, negativeRate, seed } = found
  const feeds = logged.flatMap((entry) => ('slate' in entry ? [{ ...entry.slate, arrivedMs: entry.arrivedMs }] : []))
  const acts = logged.flatMap(({ arrivedMs, ...entry }) =>
    'act' in entry
      ? [{ ...entry.act, feedId: entry.act.feedId ?? '', occurredAtMs: entry.act.atMs, dwellMs: null, arrivedMs }]
      : [],
  )
  const expected = expectedRows(feeds, acts, windows)
  const rows = await rowsIn(files)
  const problems = [
    ...(await doubledRows(files)),
    ...rows.flatMap(({ problem }) => (problem === null ? [] : [problem])),
  ]
  const isKept = (key: string, actions: readonly string[]): boolean =>
    actions.some((action) => action !== 'impression') || hash32(key, seed) / 2 ** 32 < negativeRate

  for (const [key, { first, last, corrections }] of expected.rows) {
    const shown = rows.filter((row) => row.isShown && row.key === key)
    check(problems, `${key} as it closed`, actionsAt(shown, 0), isKept(key, first) ? first : null)
    if (corrections > 0) {
      check(problems, `${key} corrected`, actionsAt(shown, corrections), isKept(key, last) ? last : null)
    }
    if (shown.some(({ revision }) => revision > corrections)) problems.push(`${key} has too many corrections`)
  }
  for (const { key, isShown } of rows)
    if (isShown && !expected.rows.has(key)) problems.push(`${key} should not be there`)
  const closed = new Map(
    feeds
      .filter(({ feedId, pinIds }) => expected.rows.has(`${feedId} ${pinIds[0] ?? ''}`))
      .map((feed) => [feed.feedId, feed]),
  )
  const unshown = [...closed.values()].flatMap(({ feedId, unshownIds = [] }) =>
    unshownIds.map((pin) => `${feedId} ${pin}`),
  )
  check(
    problems,
    'unshown candidates',
    rows
      .filter(({ isShown }) => !isShown)
      .map(({ key }) => key)
      .sort(),
    unshown.sort(),
  )
  return [...problems, ...countProblems(stats, feeds, acts.length, expected)]
}

function countProblems(
  stats: JoinerStats | null,
  feeds: readonly SlateFixture[],
  acts: number,
  expected: ReturnType<typeof expectedRows>,
): readonly string[] {
  if (stats === null) return ['the joiner did not run']
  const problems: string[] = []
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, n) => total + n, 0)
  const { positions, rows, dropped, engagements, matched, late, unmatched, waiting } = stats
  check(
    problems,
    'positions',
    positions,
    feeds.reduce((total, { pinIds }) => total + pinIds.length, 0),
  )
  check(problems, 'positions accounted for', rows + sum(dropped) + waiting.positions, positions)
  check(problems, 'positions that came twice', dropped.repeated + dropped.expired, expected.repeatedPositions)
  check(problems, 'engagements', engagements, acts)
  check(problems, 'engagements accounted for', matched + late + sum(unmatched) + waiting.actions, engagements)
  check(problems, 'matched', matched, expected.matched)
  check(problems, 'late', late, expected.late)
  return problems
}

function actionsAt(rows: readonly Row[], revision: number): readonly string[] | null {
  return rows.find((row) => row.revision === revision)?.actions ?? null
}

function check(problems: string[], what: string, found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) problems.push(`${what}: ${a} instead of ${b}`)
}

async function rowsIn(files: ArtefactStore): Promise<readonly Row[]> {
  const rows: Row[] = []
  for await (const batch of readRows(files, { everyRevision: true })) {
    for (let row = 0; row < batch.rows; row++) rows.push(readRow(batch, row))
  }
  return rows
}

function readRow(batch: RowBatch, row: number): Row {
  const [feedId, pinId] = [batch.feedIds[row] ?? '', batch.pinIds[row] ?? '']
  const isShown = batch.shown[row] === 1
  const key = `${feedId} ${pinId}`
  const actions = Object.entries(batch.labels)
    .filter(([name, column]) => name !== 'dwellSeconds' && column[row] === 1)
    .map(([name]) => name)
    .sort()
  const features = [...batch.features.subarray(row * 2, row * 2 + 2)]
  const wanted = isShown ? [featureOf(feedId, pinId, 0), featureOf(feedId, pinId, 1)] : [NaN, NaN]
  const isSame = features.every((value, at) => Object.is(value, wanted[at]))
  return {
    key,
    revision: batch.revision[row] ?? -1,
    actions,
    isShown,
    problem: isSame ? null : `${key} has the features ${features.join()} instead of ${wanted.join()}`,
  }
}
