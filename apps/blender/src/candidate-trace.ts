import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { CandidateTrace } from '@freshet/contracts/gen/freshet/feed/v1/feed'
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
  const fateCodes = new Uint8Array(codes.length)
  const known = new Float32Array(codes.length).fill(NaN)
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!
    fateCodes[row] = code
    counts[code]!++
    if (ranked !== null && ranked.places[row] !== -1) known[row] = utilities[row]!
  }
  return {
    reasons: removals.map(({ stage, reason }, at) => ({ stage, reason, candidates: counts[at + 1]!, sampled: 0 })),
    pins: bytesOf(columns.pinHashes),
    fates: fateCodes,
    utilities: bytesOf(known),
  }
}
