import type { ExperimentBucket } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { holdOutOf, placesOf, type Place } from '@freshet/experiments/buckets'
import { holdOutName, type Experiments } from '@freshet/experiments/experiments'
import type { FeedParams } from '../params.ts'
import type { FeedRequest } from '../request.ts'
import type { UtilityTuning } from './config.ts'
import { overriddenParams } from './overridden-params.ts'
import type { RequestExperiments } from './request-experiments.ts'
import { tunedFactors } from './utility-tuning.ts'

/** Puts a request into its experiments. Evaluations are in none: their answers have to be those of the settings. */
export function inExperiments<Request extends FeedRequest>(
  request: Request,
  experiments: Experiments | null,
  tuning: UtilityTuning,
): Request {
  if (request.evaluation !== null || (experiments === null && tuning.sigma === 0)) return request
  const { userId, sessionId, page } = request
  const units = { user: userId, session: sessionId, feed: `${userId}/${sessionId}/${page.startedAtMs}` }
  const places = experiments === null ? [] : placesOf(experiments, units)
  const holdOut = experiments === null ? null : holdOutOf(experiments, userId)
  const used = new Set<Place>()
  const params = places.length === 0 ? request.params : paramsOf(request.params, places, used)
  return {
    ...request,
    params,
    experiments: {
      version: experiments?.version ?? '',
      ...choicesOf(places, used, holdOut?.isHeldOut === true ? new Map() : tunedFactors(tuning, userId)),
      exposed: () => [...holdOutBucket(holdOut), ...places.filter((place) => used.has(place)).map(toBucket)],
    },
  }
}

function paramsOf(params: FeedParams, places: readonly Place[], used: Set<Place>): FeedParams {
  const readings = places.flatMap((place) =>
    place.experiment.params.map((path) => ({
      path,
      own: place.arm.params.find((each) => each.path.join('.') === path.join('.')),
      onRead: () => void used.add(place),
    })),
  )
  return overriddenParams(params, readings)
}

function choicesOf(
  places: readonly Place[],
  used: Set<Place>,
  tuned: ReadonlyMap<string, number>,
): Pick<RequestExperiments, 'sources' | 'model' | 'headFactors'> {
  /** The arms of the experiments that change something; they are exposed now. */
  const armsThat = (change: 'sources' | 'model' | 'headFactors') =>
    places
      .filter(({ experiment }) => experiment.changes[change])
      .map((place) => {
        used.add(place)
        return place.arm
      })
  return {
    sources() {
      const arms = armsThat('sources')
      return {
        only: [...new Set(arms.flatMap(({ onlySources }) => onlySources))],
        without: [...new Set(arms.flatMap(({ withoutSources }) => withoutSources))],
      }
    },
    model: () => armsThat('model').find(({ model }) => model !== '')?.model ?? '',
    headFactors() {
      const own = armsThat('headFactors').flatMap(({ headFactors }) => [...headFactors])
      // Where an experiment sets a head, tuning leaves it alone: the recorded factor would have two causes.
      return new Map([...tuned, ...own])
    },
  }
}

function toBucket({ layer, bucket, experiment, arm }: Place): ExperimentBucket {
  return { layer: layer.name, bucket, experiment: experiment.name, arm: arm.name }
}

function holdOutBucket(holdOut: ReturnType<typeof holdOutOf>): ExperimentBucket[] {
  if (holdOut === null) return []
  const { bucket, isHeldOut } = holdOut
  return [{ layer: holdOutName, bucket, experiment: holdOutName, arm: isHeldOut ? 'held-out' : 'others' }]
}
