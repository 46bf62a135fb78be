import { ContractError } from '@freshet/contracts/errors'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { AttributeRequest, AttributeResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { Attribution } from '@freshet/contracts/ports/calls'
import type { ModelRecord } from '@freshet/domain/model-record'
import { artefactSource } from '@freshet/ranking/artefact/source'
import { openModelSlot } from '@freshet/ranking/model/slot'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'
import { invalid } from '../invalid.ts'
import { attributeScores, noContributions } from './attribute.ts'

/** The most pins of a request. */
const maxPins = 100

/** Where models come from. */
export interface AttributionOptions {
  /** Runs work with a model that is held; null: it is not. */
  readonly useHeld: <Result>(version: string, plan: string, work: (model: ServingModel) => Result) => Result | null
  /** The models of the registry. */
  readonly records: () => readonly ModelRecord[]
  /** null: there is no folder of models. */
  readonly artefacts: Pick<ArtefactStore, 'get'> | null
}

/** Attributes scores of served feeds to features, with the model that scored: one that is held, or loaded for this call. */
export function createAttribution({ useHeld, records, artefacts }: AttributionOptions): Attribution {
  return {
    async attribute({ feedServed, pinIds }: AttributeRequest): Promise<AttributeResponse> {
      if (pinIds.length < 1 || pinIds.length > maxPins)
        throw invalid('pin_ids', `holds ${pinIds.length} entries; give 1–${maxPins}`)
      const served = parseRecord(feedServed)
      const { modelVersion: version, versions } = served
      const plan = versions?.rankingPlan ?? ''
      if (version === '') return noContributions('nothing was ranked')
      const work = (model: ServingModel): AttributeResponse => attributeScores(served, pinIds, model)
      const held = useHeld(version, plan, work)
      if (held !== null) return held
      const record = records().find((each) => each.version === version && each.planHash === plan)
      if (record === undefined || artefacts === null)
        return noContributions(`the ranker no longer holds the model ${version} with the plan ${plan}`)
      try {
        const slot = await openModelSlot(artefactSource(record, (name) => artefacts.get(name)))
        try {
          return slot.use(work)
        } finally {
          await slot.close()
        }
      } catch (error) {
        if (error instanceof ContractError) throw error
        return noContributions(`the model ${version} cannot be loaded: ${(error as Error).message}`)
      }
    },
  }
}

function parseRecord(bytes: Uint8Array): FeedServed {
  try {
    return FeedServed.decode(bytes)
  } catch (error) {
    throw invalid('feed_served', `is not a freshet.feed.v1.FeedServed: ${(error as Error).message}`, error)
  }
}
