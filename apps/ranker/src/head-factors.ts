import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import type { HeadFactors as Message, RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { idProblem } from '@freshet/domain/ids'
import type { HeadFactors } from '@freshet/ranking/model/utility'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'
import { invalid } from './invalid.ts'

const maxHeads = 64

/** Factors beyond these bounds would leave too few digits of the other heads. */
const [lowest, highest] = [1e-6, 1e6] as const

/**
 * The factors of a request, or of the record of a feed; undefined: none. Throws CALL_INVALID_ARGUMENT with the field and the problem.
 */
export function parseHeadFactors({ headFactors }: Pick<RankRequest, 'headFactors'>): HeadFactors | undefined {
  if (headFactors === undefined || (headFactors.heads.length === 0 && headFactors.factors.length === 0))
    return undefined
  const { heads, factors: bytes } = headFactors
  if (heads.length > maxHeads)
    throw invalid('head_factors.heads', `has ${heads.length} names; at most ${maxHeads} are allowed`)
  if (bytes.byteLength !== heads.length * 4)
    throw invalid('head_factors.factors', `has ${bytes.byteLength} bytes; ${heads.length} heads need 4 each`)
  const factors = float32Column(bytes)
  const byHead = new Map<string, number>()
  for (const [at, head] of heads.entries()) {
    const problem = byHead.has(head) ? `repeats ${JSON.stringify(head)}; name each head once` : idProblem(head)
    if (problem !== null) throw invalid(`head_factors.heads[${at}]`, problem)
    const factor = factors[at]!
    if (!(factor >= lowest && factor <= highest))
      throw invalid(`head_factors.factors[${at}]`, `is ${factor}; give a number from ${lowest} to ${highest}`)
    byHead.set(head, factor)
  }
  return byHead
}

/** Throws CALL_INVALID_ARGUMENT if a factor is on a head that the model does not have. A model without heads has no utility to change. */
export function checkHeads(factors: HeadFactors | undefined, { heads, version }: ServingModel): void {
  if (factors === undefined || heads.length === 0) return
  const names = heads.map(({ name }) => name)
  for (const [at, head] of [...factors.keys()].entries())
    if (!names.includes(head))
      throw invalid(
        `head_factors.heads[${at}]`,
        `is ${JSON.stringify(head)}, which is not a head of the model ${version}; its heads are ${names.join(', ')}`,
      )
}

/** The factors that a model applied, as a message; undefined: none. */
export function toHeadFactors({ heads }: ServingModel, factors: HeadFactors | undefined): Message | undefined {
  if (factors === undefined || heads.length === 0) return undefined
  return { heads: [...factors.keys()], factors: bytesOf(Float32Array.from(factors.values())) }
}
