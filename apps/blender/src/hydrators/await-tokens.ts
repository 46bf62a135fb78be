import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import { logTag } from '@freshet/contracts/followed-log'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { tokenProblems } from '../token-problems.ts'
import type { UserContext } from './user-state.ts'

/** How fresh the answer is so far, and what the services behind have to wait for. */
export interface FreshnessContext extends Pick<UserContext, 'user'> {
  /** null: nothing was to be reflected. */
  readonly tokensReflected: boolean | null
  /** Why events of tokens will never be reflected, as codes. */
  readonly tokenProblems: readonly ErrorCode[]
  readonly candidatesAwait: readonly LogPosition[]
  readonly rankerAwait: readonly LogPosition[]
}

const firstPauseMs = 1
const longestPauseMs = 10

/**
 * Read your writes: waits until the stored state reflects the tokens' events. Under collective consistency the chain is
 * followed to its end: user state, then all pin state that it led to, then what the ranker has to have read of it.
 */
export function awaitTokens({
  users,
  memory,
  log,
  facts,
  clock,
  foldProblem,
}: Pick<StagePorts, 'users' | 'memory' | 'log' | 'facts' | 'clock' | 'foldProblem'>): ContextHydrator<
  FeedRequest & UserContext,
  FreshnessContext
> {
  async function poll(done: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    let pauseMs = firstPauseMs
    while (!(await done())) {
      await clock.sleep(pauseMs, signal)
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
    }
  }

  /** The user as of the tokens; positions of all partitions named have been passed. */
  async function awaitUser(request: FeedRequest & UserContext, signal: AbortSignal) {
    const own = request.userId === '' ? -1 : users.partitionOf(request.userId)
    let { user, userPosition } = request
    const ownWanted = request.engagementsAwaited.find(({ partition }) => partition === own)?.position ?? 0
    if ((userPosition ?? 0) < ownWanted) {
      await poll(async () => {
        const stored = await users.read(request.userId, signal)
        user = memory.learn(request.userId, stored.bytes)
        userPosition = stored.position
        return (userPosition ?? 0) >= ownWanted
      }, signal)
    }
    const others = request.engagementsAwaited.filter(({ partition }) => partition !== own)
    await pollPositions('user', others, signal)
    return user
  }

  async function pollPositions(
    family: 'user' | 'pin',
    wanted: readonly LogPosition[],
    signal: AbortSignal,
  ): Promise<void> {
    let missing = wanted.filter(({ position }) => position > 0)
    if (missing.length === 0) return
    await poll(async () => {
      const partitions = missing.map(({ partition }) => partition)
      const stored = await users.positions(family, partitions, signal)
      missing = missing.filter(({ position }, at) => (stored[at] ?? 0) < position)
      return missing.length === 0
    }, signal)
  }

  async function endsOf(topic: string): Promise<LogPosition[]> {
    return (await log.ends(topic)).map((position, partition) => ({ topic, partition, position }))
  }

  /** A token of a log that was lost, or that nobody has adopted yet, says nothing of the one that state is folded from. */
  async function checkLogs({ logsAwaited }: FeedRequest): Promise<void> {
    const pinLog = logTag(facts.progress.log('pins.v1') ?? '')
    const known = logsAwaited.pins.every((log) => pinLog === '' || log === pinLog)
    if (known && (await users.follows(logsAwaited.engagements))) return
    throw new ContractError('LOG_REPLACED', 'a token is of another log than the one that state is folded from')
  }

  async function wait(request: FeedRequest & UserContext, signal: AbortSignal): Promise<FreshnessContext> {
    const { pinsAwaited, engagementsAwaited, collective } = request
    await checkLogs(request)
    const user = await awaitUser(request, signal)
    const reached = await facts.progress.reached(pinsAwaited, signal)
    const problems = await tokenProblems(request.eventsAwaited, (partition) => users.readMeta(partition, signal))
    const reflected = { tokensReflected: reached && problems.length === 0, tokenProblems: problems }
    if (!collective) return { user, ...reflected, candidatesAwait: pinsAwaited, rankerAwait: pinsAwaited }
    await pollPositions('pin', await endsOf('pin-engagements.v1'), signal)
    return {
      user,
      ...reflected,
      candidatesAwait: [...pinsAwaited, ...engagementsAwaited],
      rankerAwait: [...pinsAwaited, ...(await endsOf('pin-features.v1'))],
    }
  }

  return {
    kind: 'context',
    name: 'await-tokens',
    policy: 'optional',
    budget: ({ params }) => ({ ms: params.awaitBudgetMs, share: 0.6 }),
    run: (request, call) => {
      const problem = request.userId === '' ? null : foldProblem()
      if (problem !== null) throw new ContractError('LOG_REPLACED', problem)
      if (isNothingAwaited(request)) return unawaited(request, null)
      return wait(request, call.signal)
    },
    // The answer says BEHIND: making those behind wait as well would not change that.
    otherwise: (request) => unawaited(request, isNothingAwaited(request) ? null : false),
  }
}

function isNothingAwaited({ pinsAwaited, engagementsAwaited, collective }: FeedRequest): boolean {
  return pinsAwaited.length === 0 && engagementsAwaited.length === 0 && !collective
}

function unawaited({ user }: UserContext, tokensReflected: boolean | null): FreshnessContext {
  return { user, tokensReflected, tokenProblems: [], candidatesAwait: [], rankerAwait: [] }
}
