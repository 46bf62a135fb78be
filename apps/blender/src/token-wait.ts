import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import { logTag } from '@freshet/contracts/followed-log'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { UserContext } from './hydrators/user-state.ts'
import type { StagePorts } from './ports.ts'
import type { FeedRequest } from './request.ts'
import { tokenProblems } from './token-problems.ts'

/** The user's state after the events of the tokens. */
export interface Reflected extends Pick<UserContext, 'user'> {
  /** Whether the events of all tokens are reflected. */
  readonly tokensReflected: boolean
  /** Codes that say why events of tokens will never be reflected. */
  readonly tokenProblems: readonly ErrorCode[]
}

/** Waits until the stored state reflects the events of tokens. */
export interface TokenWait {
  /** The user's state after the events of the tokens, and whether it reflects them. Throws LOG_REPLACED for tokens of another log. */
  reflected(request: FeedRequest & UserContext, signal: AbortSignal): Promise<Reflected>
  /** Resolves when the stored state of these partitions has passed these positions. */
  passed(family: 'user' | 'pin', wanted: readonly LogPosition[], signal: AbortSignal): Promise<void>
  /** Where a topic ends now. */
  endsOf(topic: string, signal: AbortSignal): Promise<LogPosition[]>
}

/** Dependencies for waiting for tokens. */
export type TokenWaitPorts = Pick<StagePorts, 'users' | 'memory' | 'log' | 'facts' | 'clock'>

const firstPauseMs = 1
const longestPauseMs = 10

/** Polls the state store: every millisecond at first, then less often. */
export function createTokenWait({ users, memory, log, facts, clock }: TokenWaitPorts): TokenWait {
  async function poll(done: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    let pauseMs = firstPauseMs
    while (!(await done())) {
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
    }
  }

  /** Waits until the state of all named partitions has passed their positions, then gives the user. */
  async function awaitUser(request: FeedRequest & UserContext, signal: AbortSignal) {
    const own = request.userId === '' ? -1 : users.partitionOf(request.userId)
    let { user, userPosition } = request
    const ownWanted = request.engagementsAwaited.find(({ partition }) => partition === own)?.position ?? 0
    const ownReached = async (wanted: number): Promise<void> => {
      if ((userPosition ?? 0) >= wanted) return
      await poll(async () => {
        const stored = await users.read(request.userId, signal)
        user = memory.learn(request.userId, stored.bytes)
        userPosition = stored.position
        return (userPosition ?? 0) >= wanted
      }, signal)
    }
    await ownReached(ownWanted)
    const others = request.engagementsAwaited.filter(({ partition }) => partition !== own)
    await passed('user', others, signal)
    if (request.mergeAwaited && own >= 0) {
      // The other user's state was appended to this partition before the other partition passed the merge, so it is not beyond the present end.
      const ends = await endsOf('engagements.v1', signal)
      await ownReached(ends[own]?.position ?? 0)
    }
    return user
  }

  async function passed(family: 'user' | 'pin', wanted: readonly LogPosition[], signal: AbortSignal): Promise<void> {
    let missing = wanted.filter(({ position }) => position > 0)
    if (missing.length === 0) return
    await poll(async () => {
      const partitions = missing.map(({ partition }) => partition)
      const stored = await users.positions(family, partitions, signal)
      missing = missing.filter(({ position }, at) => (stored[at] ?? 0) < position)
      return missing.length === 0
    }, signal)
  }

  async function endsOf(topic: string, signal: AbortSignal): Promise<LogPosition[]> {
    return (await log.ends(topic, { signal })).map((position, partition) => ({ topic, partition, position }))
  }

  /** A token must belong to the log from which the state is folded: positions of another log mean something else. */
  async function checkLogs({ logsAwaited }: FeedRequest): Promise<void> {
    const pinLog = logTag(facts.progress.log('pins.v1') ?? '')
    const known = logsAwaited.pins.every((log) => pinLog === '' || log === pinLog)
    if (known && (await users.follows(logsAwaited.engagements))) return
    throw new ContractError(
      'LOG_REPLACED',
      'a token belongs to another log than the one from which the state is folded',
    )
  }

  return {
    async reflected(request, signal) {
      await checkLogs(request)
      const user = await awaitUser(request, signal)
      const reached = await facts.progress.reached([...request.pinsAwaited, ...request.creatorsAwaited], signal)
      const problems = await tokenProblems(request.eventsAwaited, (partition) => users.readMeta(partition, signal))
      return { user, tokensReflected: reached && problems.length === 0, tokenProblems: problems }
    },
    passed,
    endsOf,
  }
}
