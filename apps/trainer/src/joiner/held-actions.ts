import type { PinAction } from './waiting-feed.ts'

/** An action that waits for the record of its feed. */
export interface HeldAction extends PinAction {
  /** Partition of its record; within one, actions arrive in the order of time. */
  readonly partition: number
  /** Feeds that arrive before this are considered. */
  readonly resolveMs: number
  done: boolean
}

/** Actions that wait for the record of their feed: by partition in the order of time, and by the feed they name. */
export interface HeldActions {
  readonly size: number
  push(action: HeldAction): void
  /** Actions that wait for this feed. */
  of(feedId: string): readonly HeldAction[]
  /** Actions of a user in one partition. */
  ofUser(userId: string): readonly HeldAction[]
  /** Marks an action as done: it waits no longer. */
  settle(action: HeldAction): void
  /** Removes and returns an action that is due; null: none is. */
  pop(untilMs: number): HeldAction | null
  /** Those that wait, in the order in which they are due within each partition. */
  all(): readonly HeldAction[]
}

interface Line {
  actions: HeldAction[]
  head: number
}

/** Nothing waits. */
export function createHeldActions(): HeldActions {
  const lines = new Map<number, Line>()
  const byFeed = new Map<string, HeldAction[]>()
  let size = 0

  const all = (): HeldAction[] =>
    [...lines.values()].flatMap(({ actions, head }) => actions.slice(head).filter(({ done }) => !done))

  const held: HeldActions = {
    get size() {
      return size
    },
    push(action) {
      const line = lines.get(action.partition) ?? { actions: [], head: 0 }
      lines.set(action.partition, line)
      line.actions.push(action)
      size++
      if (action.feedId === '') return
      const waiting = byFeed.get(action.feedId)
      if (waiting === undefined) byFeed.set(action.feedId, [action])
      else waiting.push(action)
    },
    of: (feedId) => [...(byFeed.get(feedId) ?? [])],
    ofUser: (userId) => all().filter((action) => action.userId === userId),
    settle(action) {
      if (action.done) return
      action.done = true
      size--
      const rest = (byFeed.get(action.feedId) ?? []).filter((other) => other !== action)
      if (rest.length === 0) byFeed.delete(action.feedId)
      else byFeed.set(action.feedId, rest)
    },
    pop(untilMs) {
      for (const line of lines.values()) {
        for (let next = line.actions[line.head]; next !== undefined; next = line.actions[line.head]) {
          if (!next.done && next.resolveMs > untilMs) break
          line.head++
          if (line.head > 1_024 && line.head * 2 > line.actions.length) {
            line.actions = line.actions.slice(line.head)
            line.head = 0
          }
          if (next.done) continue
          held.settle(next)
          return next
        }
      }
      return null
    },
    all,
  }
  return held
}
