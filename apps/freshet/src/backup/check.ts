import { artefactDigest } from '@freshet/contracts/codecs/artefact-part'
import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { OperationError } from '../operations/errors.ts'
import { openPlatform, withOpen, type PlatformArguments } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { readRegistries } from '../models/registries.ts'
import { modelStoreOf } from '../models/model-store.ts'
import { checkFamily } from './check-family.ts'

/** Arguments of `freshet check`. */
export interface CheckArguments extends PlatformArguments {
  /** The checkpoint folder of the trainer, which holds `models`; default: that of the data folder, or what the trainer published to the log. */
  readonly models?: string
  /** false: records of the log are not read. */
  readonly count?: boolean
}

/**
 * `freshet check`: whether log, state and models fit together, as after a restore. Prints what it compared. Throws CHECK_FAILED with
 * everything that does not fit. Changes nothing.
 */
export async function runCheck(given: CheckArguments, terminal: Terminal): Promise<void> {
  const problems: string[] = []
  const { signal } = terminal
  const onError = (error: Error): void => void terminal.progress.write(`freshet: ${error.message}; retrying\n`)
  await withOpen(openPlatform(given), async ({ log, store, clock }) => {
    for (const family of ['user', 'pin'] as const) {
      const counts = family === 'user' && given.count !== false
      const checked = await checkFamily({ log, store, clock, signal, onError }, family, counts)
      for (const line of checked.lines) terminal.write(`${line}\n`)
      problems.push(...checked.problems)
    }
    const models = modelStoreOf(given, { log, onError })
    let compared = 0
    for (const [surface, registry] of await readRegistries({ log, clock, signal, onError }))
      for (const { version, sha256, stage } of registry.models()) {
        if (sha256 === '' || stage === 'rejected') continue
        const problem = await modelProblem(models, `models/${surface}/${version}.model`, sha256)
        // The trainer removes the artefacts of old models; only those that answer requests have to be there.
        if (problem !== null && (stage !== 'retired' || !problem.endsWith('is missing')))
          problems.push(`${problem} (${stage})`)
        else if (problem === null) compared++
      }
    terminal.write(`models: ${compared} artefacts have the digest of the registry\n`)
  })
  if (problems.length > 0)
    throw new OperationError(
      'CHECK_FAILED',
      `${problems.length} things do not fit together:\n${problems.map((text) => `  ${text}`).join('\n')}`,
    )
  terminal.write('log, state and models fit together\n')
}

async function modelProblem(models: Pick<ArtefactStore, 'get'>, name: string, sha256: string): Promise<string | null> {
  let bytes
  try {
    bytes = await models.get(name)
  } catch (error) {
    if (isContractError(error, 'ARTEFACT_MISSING')) return `the artefact ${name} is missing`
    if (isContractError(error, 'ARTEFACT_DAMAGED')) return error.message
    throw error
  }
  const found = artefactDigest(bytes)
  return found === sha256
    ? null
    : `the artefact ${name} has the digest ${found.slice(0, 12)} instead of ${sha256.slice(0, 12)}`
}
