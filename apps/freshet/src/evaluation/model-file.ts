import { readFile } from 'node:fs/promises'
import { decodeArtefact, sha256 } from '@freshet/ranking/artefact/bytes'
import { artefactSource } from '@freshet/ranking/artefact/source'
import type { ModelSource } from '@freshet/ranking/serving/serving-model'
import { ArgumentError, refuse } from '../arguments.ts'
import type { TimeWindow } from './evaluate.ts'

/**
 * The model of an artefact's file, for questions that it cannot have learned from: throws an ArgumentError if a question of the
 * window may be from before the end of its training rows.
 */
export async function openModelFile(file: string, { fromMs }: TimeWindow): Promise<ModelSource> {
  const bytes = await readFile(file).catch((error: unknown) =>
    refuse(`--model cannot be read: ${(error as Error).message}`),
  )
  const { manifest } = decodeArtefact(bytes, file)
  const { version, surface, planHash, dataToMs } = manifest
  if (fromMs <= dataToMs) {
    const learned = new Date(dataToMs).toISOString()
    throw new ArgumentError(
      `${file} learned from rows up to ${learned}, so it knows the answers until then; ask later questions with --from`,
    )
  }
  return artefactSource({ surface, version, planHash, sha256: sha256(bytes) }, () => Promise.resolve(bytes))
}
