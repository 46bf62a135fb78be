import { hash32 } from '@freshet/domain/hash'
import { bucketCount } from './file/file-schema.ts'
import type { Arm, Experiment, Experiments, Layer, Unit } from './experiments.ts'

/** What a request is divided by. '': the request has none. */
export type Units = Readonly<Record<Unit, string>>

/** The place of a request in a layer. */
export interface Place {
  readonly layer: Layer
  readonly bucket: number
  readonly experiment: Experiment
  readonly arm: Arm
}

/** The bucket of a unit under a salt, from 0 to 999: always the same, and independent of the bucket under another salt. */
export function bucketOf(unit: string, salt: string): number {
  return Math.floor((hash32(`${salt}/${unit}`) / 2 ** 32) * bucketCount)
}

/** The user's bucket of the hold-out, and whether it is held out; null: there is no hold-out, or no user. */
export function holdOutOf({ holdOut }: Experiments, userId: string): { bucket: number; isHeldOut: boolean } | null {
  if (holdOut === null || userId === '') return null
  const bucket = bucketOf(userId, holdOut.salt)
  return { bucket, isHeldOut: bucket < holdOut.buckets }
}

/** The experiments that a request is in, in the order of the layers. A layer whose unit the request does not have has none, nor has a user who is held out. */
export function placesOf(experiments: Experiments, units: Units): Place[] {
  if (holdOutOf(experiments, units.user)?.isHeldOut === true) return []
  const places: Place[] = []
  for (const layer of experiments.layers) {
    const unit = units[layer.unit]
    if (unit === '') continue
    const bucket = bucketOf(unit, layer.salt)
    for (const experiment of layer.experiments) {
      const arm = experiment.arms.find(({ firstBucket, endBucket }) => bucket >= firstBucket && bucket < endBucket)
      if (arm !== undefined) places.push({ layer, bucket, experiment, arm })
    }
  }
  return places
}
