import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { TrainerConfig } from '@freshet/trainer/config'
import { createRankingTraining } from '@freshet/trainer/ranking/training'
import type { JobFactory } from './job.ts'

/** The training of ranking models as a job in virtual time: it trains in `runDue` only, and each training ends there. */
export function trainingJob(config: TrainerConfig, modelStore: ArtefactStore): JobFactory {
  return ({ log, clock, onError }) => {
    const training = createRankingTraining({
      log,
      clock,
      config,
      artefacts: null,
      models: modelStore,
      pause: () => Promise.resolve(),
      onError: (_part, error) => onError(error),
    })
    return {
      start: () => training.start({ timers: false }),
      runDue: () => training.runDue(),
      stop: () => training.stop(),
    }
  }
}
