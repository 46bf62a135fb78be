import type { Line } from './draws.ts'
import { recentPopularity, rp3beta, vsknn, type Click, type Reference } from './references.ts'

const hourMs = 3_600_000

/** The plain methods that the merge is compared with. */
function plainReferences(): readonly Reference[] {
  return [
    recentPopularity(hourMs, 'popularity of the last hour'),
    recentPopularity(7 * 24 * hourMs, 'popularity of the last week'),
    vsknn(null),
    vsknn(recentPopularity(hourMs, 'popularity of the last hour')),
    rp3beta(),
  ]
}

/** How a recording is asked. */
export interface ReferenceOptions {
  readonly refresh: 'event' | 'mark'
  readonly repeats: 'allow' | 'forbid'
  readonly every: number
}

interface Done {
  readonly pinId: string
  readonly sessionId: string
}

const pinsOfNoSession = 10

/** Replays a recording and gives, by reference, how it did: shares of the questions, as `freshet evaluate` counts them. */
export function askReferences(
  lines: Iterable<Line>,
  { refresh, repeats, every }: ReferenceOptions,
  references = plainReferences(),
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const done = new Map<string, Done[]>()
  const ranks = references.map((): number[] => [])
  let pending: Click[] = []
  let questions = 0
  const foldAll = (): void => {
    for (const click of pending) for (const reference of references) reference.fold(click)
    pending = []
  }
  for (const line of lines) {
    const engagement = line['engagement'] as EngagementLine | undefined
    const question = line['question'] as QuestionLine | undefined
    if (line['mark'] !== undefined) foldAll()
    if (engagement !== undefined) {
      const { userId, sessionId = userId, pinId, occurredAt } = engagement
      pending.push({ userId, sessionId, pinId, atMs: Date.parse(occurredAt) })
      if (refresh === 'event') foldAll()
      done.set(userId, [...(done.get(userId) ?? []), { pinId, sessionId }])
    }
    if (question === undefined || questions++ % every !== 0) continue
    const { userId, sessionId = userId, target, among } = question
    const history = done.get(userId) ?? []
    const session = history.filter((action) => action.sessionId === sessionId).map(({ pinId }) => pinId)
    const pinIds = [...new Set(history.map(({ pinId }) => pinId))]
    const asked = {
      atMs: Date.parse(question.at),
      userId,
      sessionId,
      session: question.sessionId === undefined ? session.slice(-pinsOfNoSession) : session,
      history: pinIds,
      among: among === undefined ? null : new Set(among),
      excluded: new Set(repeats === 'forbid' ? pinIds : []),
    }
    references.forEach((reference, at) => ranks[at]?.push(reference.rank(asked, 20).indexOf(target) + 1))
  }
  return new Map(references.map(({ name }, at) => [name, figuresOf(ranks[at] ?? [])]))
}

interface EngagementLine {
  readonly userId: string
  readonly sessionId?: string
  readonly pinId: string
  readonly occurredAt: string
}

interface QuestionLine {
  readonly at: string
  readonly userId: string
  readonly sessionId?: string
  readonly target: string
  readonly among?: readonly string[]
}

function figuresOf(ranks: readonly number[]): Record<string, number> {
  const mean = (of: (rank: number) => number): number => ranks.reduce((sum, rank) => sum + of(rank), 0) / ranks.length
  return {
    'hr@10': mean((rank) => Number(rank > 0 && rank <= 10)),
    'hr@20': mean((rank) => Number(rank > 0)),
    'mrr@20': mean((rank) => (rank > 0 ? 1 / rank : 0)),
  }
}
