import type { Source } from '@freshet/pipeline/stage'
import { toCandidates, noCandidates, type CandidateColumns } from '../candidates.ts'
import type { FallbackRequest } from '../hydrators/remembered-user.ts'
import type { StagePorts } from '../ports.ts'

/** Popular pins, from this process's memory. */
export function popularFeed({ popular }: Pick<StagePorts, 'popular'>): Source<FallbackRequest, CandidateColumns> {
  return {
    kind: 'source',
    name: 'popular',
    policy: 'required',
    run: ({ locale }) => {
      const pins = popular.of(locale)
      if (pins === null) return noCandidates()
      const foundBy = new Uint32Array(pins.pinIds.length).fill(1)
      return toCandidates(pins.pinIds, pins.scores, { sourceNames: ['popular-memory'], foundBy })
    },
  }
}
