import { SnapshotError } from '@freshet/columns/errors'
import { decodeSnapshot, encodeSnapshot, type SectionReader, type SectionWriter } from '@freshet/columns/snapshot'
import { RowsError } from '@freshet/ranking/rows/rows-error'
import {
  emptyColumn,
  numberColumnNames,
  numbersBy,
  textColumns,
  textsBy,
  type LabelColumn,
  type RowBatch,
} from '@freshet/ranking/rows/row-batch'

/** A file of training rows. The version goes up whenever the columns change: 2 added `locales`. */
const rowFormat = { magic: 0x46525257, version: 2 }
/** The oldest version that this build reads. */
const oldestVersion = 1

/** The batch as a file: columns with checksums, texts as a dictionary and numbers into it. */
export function encodeRows(batch: RowBatch): Uint8Array {
  return encodeSnapshot((writer) => {
    const labels = Object.entries(batch.labels)
    writer.json('shape', {
      rows: batch.rows,
      featureNames: batch.featureNames,
      sourceNames: batch.sourceNames,
      labels: labels.map(([name, column]) => [name, column instanceof Uint8Array ? 'u8' : 'f32']),
    })
    writer.f32('features', batch.features)
    writer.f32('sourceRanks', batch.sourceRanks)
    writer.f32('sourceScores', batch.sourceScores)
    for (const [name, column] of labels) writeNumbers(writer, `label/${name}`, column)
    for (const name of numberColumnNames) writeNumbers(writer, name, batch[name])
    for (const name of textColumns) writeTexts(writer, name, batch[name])
    writeTexts(
      writer,
      'topics',
      batch.topics.map((topics) => JSON.stringify(topics)),
    )
  }, rowFormat)
}

/** Reads a file of training rows. Throws ROWS_DAMAGED, naming the file, if it is not one or its checksum does not match. */
export function decodeRows(file: string, bytes: Uint8Array): RowBatch {
  try {
    return read(decodeSnapshot(bytes, { ...rowFormat, version: readableVersion(bytes) }))
  } catch (error) {
    if (!(error instanceof SnapshotError || error instanceof SyntaxError || error instanceof RangeError)) throw error
    const message = `${file} cannot be read: ${error.message}; its rows are left out. Delete the file to end this message`
    throw new RowsError('ROWS_DAMAGED', message, { cause: error })
  }
}

/** The version that the file says it has, if this build reads it; otherwise the newest one, so that the error names both. */
function readableVersion(bytes: Uint8Array): number {
  const stated = bytes.length < 8 ? NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)
  return stated >= oldestVersion && stated <= rowFormat.version ? stated : rowFormat.version
}

interface Shape {
  readonly rows: number
  readonly featureNames: readonly string[]
  readonly sourceNames: readonly string[]
  readonly labels: readonly (readonly [name: string, kind: 'u8' | 'f32'])[]
}

function read(reader: SectionReader): RowBatch {
  const { rows, featureNames, sourceNames, labels } = reader.json('shape') as Shape
  const numbers = (name: (typeof numberColumnNames)[number]) => {
    const { BYTES_PER_ELEMENT: width } = emptyColumn(name, 0)
    if (width === 8) return reader.f64(name)
    if (width === 4) return reader.f32(name)
    return width === 2 ? new Uint16Array(reader.u8(name).buffer) : reader.u8(name)
  }
  const label = (name: string, kind: 'u8' | 'f32'): LabelColumn =>
    kind === 'u8' ? reader.u8(`label/${name}`) : reader.f32(`label/${name}`)
  return {
    rows,
    featureNames,
    sourceNames,
    features: reader.f32('features'),
    sourceRanks: reader.f32('sourceRanks'),
    sourceScores: reader.f32('sourceScores'),
    labels: Object.fromEntries(labels.map(([name, kind]) => [name, label(name, kind)])),
    ...numbersBy(numbers),
    ...textsBy((name) => (reader.has(`${name}/texts`) ? readTexts(reader, name) : Array<string>(rows).fill(''))),
    topics: readTexts(reader, 'topics', (text) => JSON.parse(text) as string[]),
  }
}

function writeNumbers(
  writer: SectionWriter,
  name: string,
  column: Float64Array | Float32Array | Uint16Array | Uint8Array,
): void {
  if (column instanceof Float64Array) writer.f64(name, column)
  else if (column instanceof Float32Array) writer.f32(name, column)
  else writer.u8(name, new Uint8Array(column.buffer, column.byteOffset, column.byteLength))
}

function writeTexts(writer: SectionWriter, name: string, texts: readonly string[]): void {
  const numbers = new Map<string, number>()
  const codes = Uint32Array.from(texts, (text) => {
    const known = numbers.get(text)
    if (known !== undefined) return known
    numbers.set(text, numbers.size)
    return numbers.size - 1
  })
  writer.json(`${name}/texts`, [...numbers.keys()])
  writer.u32(`${name}/codes`, codes)
}

function readTexts(reader: SectionReader, name: string): string[]
function readTexts<T>(reader: SectionReader, name: string, parse: (text: string) => T): T[]
function readTexts<T>(reader: SectionReader, name: string, parse?: (text: string) => T): (T | string)[] {
  const texts = reader.json(`${name}/texts`) as readonly string[]
  const values = parse === undefined ? texts : texts.map(parse)
  return Array.from(reader.u32(`${name}/codes`), (code) => values[code] as T | string)
}
