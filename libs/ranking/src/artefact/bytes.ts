import { createHash } from 'node:crypto'
import { canonicalJson, hashOfPlan, type Plan } from '../plan/plan.ts'
import type { TrainedModel, Weights } from '../model/trained-model.ts'
import { ArtefactError } from './artefact-error.ts'
import { manifestSchema, type ModelManifest } from './manifest.ts'

/** A model with what is known about it. */
export interface ModelArtefact {
  readonly manifest: ModelManifest
  readonly model: TrainedModel
}

/** The first eight bytes of an artefact. */
const mark = Buffer.from('FRESHETM', 'latin1')
/** Goes up when the layout changes. A newer format is refused. */
const format = 1
/** Mark, format, length of the header and of the whole artefact, SHA-256 of all that and of the header. */
const prefixBytes = mark.length + 4 + 4 + 8
const sumBytes = 32

interface Header {
  readonly manifest: unknown
  readonly plan: Plan
  readonly fitted: Readonly<Record<string, unknown>>
  readonly sections: readonly Section[]
}

/** One tensor of weights in the bytes after the header, in the order of the sections. */
interface Section {
  readonly name: string
  readonly shape: readonly number[]
  readonly sha256: string
}

/**
 * The bytes of a model: a prefix with the lengths, a header in canonical JSON (manifest, plan, fitted statistics, names and
 * shapes of the weights), then each tensor as little-endian float32. A checksum covers the header and each tensor. Equal models
 * give equal bytes.
 */
export function encodeArtefact({ manifest, model }: ModelArtefact): Uint8Array {
  const weights = [...model.parameters.weights].sort(([a], [b]) => (a < b ? -1 : 1))
  const tensors = weights.map(([, { values }]) => littleEndian(values))
  const sections = weights.map(([name, { shape }], at): Section => ({ name, shape, sha256: sha256(tensors[at]!) }))
  const fitted = Object.fromEntries(model.parameters.fitted)
  const header = Buffer.from(canonicalJson({ manifest, plan: model.plan, fitted, sections }))
  const total = tensors.reduce((sum, { length }) => sum + length, prefixBytes + sumBytes + header.length)
  const prefix = Buffer.alloc(prefixBytes)
  mark.copy(prefix)
  prefix.writeUInt32LE(format, mark.length)
  prefix.writeUInt32LE(header.length, mark.length + 4)
  prefix.writeBigUInt64LE(BigInt(total), mark.length + 8)
  const sum = createHash('sha256').update(prefix).update(header).digest()
  return new Uint8Array(Buffer.concat([prefix, sum, header, ...tensors]))
}

/**
 * Reads a model from its bytes. `name` is where they come from. Throws an ArtefactError: MODEL_ARTEFACT_FOREIGN,
 * MODEL_ARTEFACT_NEWER, MODEL_ARTEFACT_TRUNCATED, MODEL_ARTEFACT_DAMAGED or MODEL_PLAN_DIFFERS.
 */
export function decodeArtefact(bytes: Uint8Array, name: string): ModelArtefact {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = readHeader(all, name)
  const weights = new Map<string, Weights>()
  let at = prefixBytes + sumBytes + all.readUInt32LE(mark.length + 4)
  for (const section of header.sections) {
    const length = 4 * section.shape.reduce((product, size) => product * size, 1)
    const tensor = all.subarray(at, at + length)
    if (tensor.length !== length || sha256(tensor) !== section.sha256)
      throw new ArtefactError('MODEL_ARTEFACT_DAMAGED', `${name}: the checksum of the weights ${section.name} differs`)
    weights.set(section.name, { shape: section.shape, values: floats(tensor) })
    at += length
  }
  if (at !== all.length)
    throw new ArtefactError('MODEL_ARTEFACT_DAMAGED', `${name} has ${all.length - at} bytes after its last weights`)
  const manifest = readManifest(header, name)
  return {
    manifest,
    model: { plan: header.plan, parameters: { weights, fitted: new Map(Object.entries(header.fitted)) } },
  }
}

/** The hash by which the registry knows the bytes: SHA-256, hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Name of the artefact in the artefact store. */
export function artefactName(surface: string, version: string): string {
  return `models/${surface}/${version}.model`
}

function readHeader(all: Buffer, name: string): Header {
  if (!all.subarray(0, mark.length).equals(mark.subarray(0, Math.min(mark.length, all.length))))
    throw new ArtefactError('MODEL_ARTEFACT_FOREIGN', `${name} does not begin with the mark of a model artefact`)
  if (all.length < prefixBytes + sumBytes)
    throw new ArtefactError('MODEL_ARTEFACT_TRUNCATED', `${name} has ${all.length} bytes, fewer than its prefix`)
  const found = all.readUInt32LE(mark.length)
  if (found > format)
    throw new ArtefactError(
      'MODEL_ARTEFACT_NEWER',
      `${name} has format ${found}; this version reads formats up to ${format}. Update this process`,
    )
  const total = all.readBigUInt64LE(mark.length + 8)
  if (BigInt(all.length) < total)
    throw new ArtefactError('MODEL_ARTEFACT_TRUNCATED', `${name} has ${all.length} bytes of ${total}`)
  const headerEnd = prefixBytes + sumBytes + all.readUInt32LE(mark.length + 4)
  const header = all.subarray(prefixBytes + sumBytes, headerEnd)
  const sum = createHash('sha256').update(all.subarray(0, prefixBytes)).update(header).digest()
  if (!sum.equals(all.subarray(prefixBytes, prefixBytes + sumBytes)))
    throw new ArtefactError('MODEL_ARTEFACT_DAMAGED', `${name}: the checksum of the header differs`)
  return JSON.parse(header.toString('utf8')) as Header
}

function readManifest({ manifest, plan }: Header, name: string): ModelManifest {
  const parsed = manifestSchema.safeParse(manifest)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
    throw new ArtefactError('MODEL_ARTEFACT_DAMAGED', `${name}: the manifest is not valid: ${problems}`)
  }
  const planHash = hashOfPlan(plan)
  if (planHash !== parsed.data.planHash)
    throw new ArtefactError(
      'MODEL_PLAN_DIFFERS',
      `${name} was trained for the plan ${parsed.data.planHash}, but its plan has the hash ${planHash}; train it again`,
    )
  return parsed.data
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

function littleEndian(values: Float32Array): Buffer {
  const bytes = Buffer.from(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength))
  return isLittleEndian ? bytes : bytes.swap32()
}

function floats(bytes: Buffer): Float32Array {
  const copy = Buffer.from(bytes)
  if (!isLittleEndian) copy.swap32()
  return new Float32Array(copy.buffer.slice(copy.byteOffset, copy.byteOffset + copy.length))
}
