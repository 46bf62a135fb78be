import { bytesOf } from '@freshet/contracts/bytes/columns'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Source } from '@freshet/pipeline/stage'
import { candidatesFrom, type CandidateColumns } from '../candidates.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import { nothingServed } from '../served-set.ts'
import { refusedSources as refusedByName, retrieveRequest, retrieveStage } from '../sources/retrieve.ts'
import { unknownUser } from '../user.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'

type Context = EvaluatedRequest & UserContext & FreshnessContext

/** Asks the candidate service for what an evaluation wants: some sources, some pins, or unfiltered candidates. */
export function retrieveEvaluated({
  candidates,
  memory,
  config,
}: Pick<StagePorts, 'candidates' | 'memory' | 'config'>): Source<Context, CandidateColumns> {
  return {
    ...retrieveStage,
    run: async (request, { timeoutMs, signal }) => {
      const { evaluation, relatedToPinId, userId, atMs, filter } = request
      const mine = memory.served(userId, { atMs, windowMs: config.servedWindowMs }) ?? nothingServed
      const asked = evaluatedRequest(request, retrieveRequest(request, mine))
      const response = await candidates.retrieve(asked, { timeoutMs, signal, headers: request.trace })
      // Only the candidate service knows the boards of a pin, so with boards no other pins are added.
      const addsNone = evaluation.candidatesOnly || filter.boardIds.length > 0
      const missing = addsNone ? [] : evaluation.among.filter((pinId) => pinId !== relatedToPinId)
      return candidatesFrom(response, missing, asked)
    },
  }
}

/** The error to return if the candidate service rejected the sources that the evaluation names; null: another failure. */
export function refusedSources(request: EvaluatedRequest, cause: unknown): ContractError | null {
  const { evaluation } = request
  if (evaluation.sources.length === 0) return refusedByName(request, cause)
  if (!isContractError(cause, 'CALL_INVALID_ARGUMENT')) return null
  return new ContractError('CALL_INVALID_ARGUMENT', `evaluation.sources: ${cause.message}`, { cause })
}

function evaluatedRequest(request: Context, usual: RetrieveRequest): RetrieveRequest {
  const { evaluation, params } = request
  const sources = evaluation.sources.length === 0 ? usual.sources : [...evaluation.sources]
  const named = { sources, amongPinIds: [...evaluation.among] }
  if (!evaluation.candidatesOnly)
    return { ...usual, ...named, excludePinIds: listExcluded(request), shown: toShownPins(request, usual) }
  return {
    ...usual,
    ...named,
    excludePinIds: listExcluded(request),
    blockedCreatorHashes: bytesOf(new Uint32Array(0)),
    blockedTopicHashes: bytesOf(new Uint32Array(0)),
    excludePinHashes: new Uint8Array(0),
    blocks: undefined,
    shown: undefined,
    limit: params.maxCandidates,
    fillTo: 0,
  }
}

function listExcluded({ evaluation, user, surface, filter }: Context): string[] {
  const isNew = surface === 'home' && !evaluation.allowRepeats
  const pins = evaluation.candidatesOnly
    ? isNew
      ? (user.recent?.pinIds ?? [])
      : []
    : [...user.hidden.ids, ...user.reported.ids, ...(isNew ? user.dismissed : [])]
  return [...new Set([...evaluation.exclude, ...filter.exclude, ...pins])]
}

function toShownPins({ evaluation }: Context, { shown }: RetrieveRequest): RetrieveRequest['shown'] {
  if (shown === undefined || !evaluation.allowRepeats) return shown
  return { ...shown, ...unknownUser.seen }
}
