import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import { encodeDeadLetter } from '@freshet/contracts/codecs/onward'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { sampleModelFile } from '@freshet/freshet/dev/sample-model'
import { openFolder } from '@freshet/freshet/operations/platform'
import { artefactName, decodeArtefact, encodeArtefact, sha256 } from '@freshet/ranking/artefact/bytes'
import { readFile } from 'node:fs/promises'

/** The version of the model that `putModel` adds. */
export const secondModel = 'home-second'

/** Adds a second model, a copy of the one that ships, as the trainer does with one that the gate lets pass. */
export async function putModel(folder: string): Promise<void> {
  await append(folder, 'models.v1', [await storeModel(createFolderArtefactStore(`${folder}/artefacts`))])
}

/** Stores the second model; resolves to the record of the registry that announces it. */
export async function storeModel(artefacts: Pick<ArtefactStore, 'put'>): Promise<NewRecord> {
  const { manifest, model } = decodeArtefact(new Uint8Array(await readFile(sampleModelFile)), sampleModelFile)
  const bytes = encodeArtefact({ manifest: { ...manifest, version: secondModel }, model })
  const { surface, planHash, createdAtMs, trainingRows } = manifest
  await artefacts.put(artefactName(surface, secondModel), bytes)
  return encodeModelRecord({
    ...{ surface, version: secondModel, planHash, stage: 'candidate', share: 0, reason: 'better on every head' },
    ...{ atMs: Date.now(), sha256: sha256(bytes), parentVersion: manifest.version, trainedAtMs: createdAtMs },
    trainingRows,
    results: Object.entries(manifest.metrics).map(([head, { logLoss }]) => ({
      head,
      logLoss,
      servingLogLoss: logLoss,
    })),
  })
}

/**
 * Adds an engagement that no version can read, and a dead letter with one that a version of before could not read: a save of `pinId` by
 * `userId`, which this version can apply.
 */
export async function putBadEvents(folder: string, save: { readonly userId: string; readonly pinId: string }) {
  for (const [topic, record] of badEvents(save)) await append(folder, topic, [record])
}

/** The records of `putBadEvents`, with their topics. */
export function badEvents({
  userId,
  pinId,
}: {
  readonly userId: string
  readonly pinId: string
}): readonly (readonly ['engagements.v1' | 'dead-letters.v1', NewRecord])[] {
  const parsed = parseEngagementJson(
    { eventId: `mended-${userId}`, userId, pinId, action: 'save', boardId: 'b', occurredAt: new Date().toISOString() },
    'mended',
  )
  if (!parsed.ok) throw new Error('the engagement is not valid')
  const letter = encodeDeadLetter({
    ...{ sourceTopic: 'engagements.v1', sourcePartition: 0, sourcePosition: 1_000_000, key: userId },
    ...{ value: encodeEngagement(parsed.engagement, Date.now()), code: 'CODEC_INVALID', schema: '', atMs: Date.now() },
    message: 'written by a test',
  })
  return [
    ['engagements.v1', { key: 'broken-user', value: new Uint8Array([0xff, 0xff, 0xff]), partition: null }],
    ['dead-letters.v1', { key: userId, value: letter, partition: null }],
  ]
}

async function append(folder: string, ...[topic, records]: Parameters<Opened['log']['append']>): Promise<void> {
  const opened = await openFolder({ data: folder })
  try {
    await opened.log.append(topic, records)
  } finally {
    await opened.close()
  }
}

type Opened = Awaited<ReturnType<typeof openFolder>>
