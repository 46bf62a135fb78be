import { createHash } from 'node:crypto'
import { ContractError } from '../errors.ts'
import { ArtefactPart as ArtefactPartMessage } from '../gen/freshet/model/v1/model.ts'
import type { NewRecord } from '../ports/event-log.ts'
import { decodeOrThrow } from './engagement.ts'

/** The partition of all records of `model-files.v1`: their order matters. */
export const artefactsPartition = 0

const messageName = 'freshet.model.v1.ArtefactPart'
const keyForm = /^(.+)#([0-9a-f]{64})#(\d{1,9})\.(\d{1,9})$/

/** One writing of an artefact: its bytes, cut into a number of parts. */
export interface ArtefactWriting {
  readonly name: string
  /** SHA-256 of the whole artefact, hexadecimal. */
  readonly sha256: string
  /** Number of parts. */
  readonly count: number
}

/** Which part of which writing a record is about. */
export interface ArtefactPartKey extends ArtefactWriting {
  /** From 0. */
  readonly index: number
}

/** SHA-256 of bytes, hexadecimal. */
export function artefactDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The records of an artefact, in order. An empty artefact has one part. */
export function encodeArtefact(name: string, bytes: Uint8Array, partBytes: number): readonly NewRecord[] {
  const sha256 = artefactDigest(bytes)
  const count = Math.max(1, Math.ceil(bytes.length / partBytes))
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * partBytes, (index + 1) * partBytes)
    const value = ArtefactPartMessage.encode({ name, sha256, index, count, bytes: part }).finish()
    return { key: keyOf({ name, sha256, index, count }), value, partition: artefactsPartition }
  })
}

/** The record that removes a part. */
export function forgetArtefactPart(part: ArtefactPartKey): NewRecord {
  return { key: keyOf(part), value: null, partition: artefactsPartition }
}

/** A record of `model-files.v1`; `bytes` is null where the part was removed. Throws CODEC_INVALID, naming the field. */
export function decodeArtefactPart(
  key: string,
  value: Uint8Array | null,
): ArtefactPartKey & { readonly bytes: Uint8Array | null } {
  const [, name, sha256, index, count] = keyForm.exec(key) ?? []
  if (name === undefined || sha256 === undefined) throw invalid('key', 'is not NAME#SHA256#INDEX.COUNT')
  const part = { name, sha256, index: Number(index), count: Number(count) }
  if (part.index >= part.count) throw invalid('index', `is ${part.index} of ${part.count} parts`)
  if (value === null) return { ...part, bytes: null }
  const message = decodeOrThrow(messageName, () => ArtefactPartMessage.decode(value))
  if (keyOf(message) !== key) throw invalid('key', 'names another part than the value')
  return { ...part, bytes: message.bytes }
}

function keyOf({ name, sha256, index, count }: ArtefactPartKey): string {
  return `${name}#${sha256}#${index}.${count}`
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `${messageName}.${field} ${problem}`)
}
