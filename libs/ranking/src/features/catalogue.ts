import { actionCountFeatures } from '@freshet/domain/features/action-counts'
import { ageFeatures } from '@freshet/domain/features/ages'
import { distinctUserFeatures } from '@freshet/domain/features/distinct-users'
import type { Feature } from '@freshet/domain/features/feature'
import { interestFeatures } from '@freshet/domain/features/interests'
import { memboostFeatures } from '@freshet/domain/features/memboost'
import { pinBoardFeatures } from '@freshet/domain/features/pin-boards'
import { recentActionFeatures } from '@freshet/domain/features/recent-actions'
import { requestFeatures } from '@freshet/domain/features/request'
import { overallRateFeatures } from '@freshet/domain/features/overall-rates'
import { retrievalFeatures } from '@freshet/domain/features/retrieval'
import { sessionActionFeatures } from '@freshet/domain/features/session-actions'
import { userRateFeatures } from '@freshet/domain/features/user-rates'
import { seenFeatures } from '@freshet/domain/features/seen'
import type { FeaturePage } from './context.ts'

/**
 * All features. To add one, write its file in `libs/domain/src/features` and register it here. A name keeps its
 * meaning: if the meaning changes, use a new name, because models were trained on the old meaning.
 */
export const features: readonly Feature<FeaturePage>[] = [
  requestFeatures,
  interestFeatures,
  recentActionFeatures,
  seenFeatures,
  memboostFeatures,
  distinctUserFeatures,
  pinBoardFeatures,
  ageFeatures,
  actionCountFeatures,
  retrievalFeatures,
  overallRateFeatures,
  userRateFeatures,
  sessionActionFeatures,
].flat()
