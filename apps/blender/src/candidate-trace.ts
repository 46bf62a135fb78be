import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { CandidateTrace } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { hash32 } from '@freshet/domain/hash'
import type { Answer } from './ladder.ts'

/** The most stages and reasons that one byte can name. */
const maxReasons = 255

/** What became of every candidate of the run that made the slate: about 9 bytes each. undefined: nothing ran to its end. */
export function toCandidateTrace({ columns, records, utilities, ranked }: Answer): CandidateTrace | undefined {
  const fates = records.at(-1)?.fates
  if (fates === undefined) return undefined
  const { codes, removals } = fates
  if (removals.length > maxReasons) return undefined
  const counts = new Int32Array(removals.length + 1)
  for (const code of codes) counts[code]!++
  return {
    reasons: removals.map(({ stage, reason }, at) => ({ stage, reason, candidates: counts[at + 1]!, sampled: 0 })),
    pins: bytesOf(Uint32Array.from(columns.pinIds, (pinId) => hash32(pinId))),
    fates: Uint8Array.from(codes),
    utilities: bytesOf(
      Float32Array.from(codes, (_, row) => (ranked === null || ranked.places[row] === -1 ? NaN : utilities[row]!)),
    ),
  }
}
