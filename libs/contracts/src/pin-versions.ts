import { writePinKey } from '@freshet/domain/pin-keys'
import type { PinChange } from '@freshet/domain/pin'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import { isCatalogueChange, type CatalogueTopic } from './catalogue-topics.ts'
import { pinStampOf } from './codecs/pin.ts'
import type { LogBatch, LogRecord } from './ports/event-log.ts'

/**
 * Tells views of the catalogue which records of `pins.v1`, or of another topic of the catalogue, still count. A record counts unless one before it in the log had a higher version,
 * see `nextPinStamp`. It keeps a number for each pin that has a version, deleted ones included: about 50 bytes.
 */
export interface PinVersions {
  /**
   * Whether the record counts. Call it once for each record, in the order of the log. Records that are not valid count, because the view reports them,
   * but change no version.
   */
  accept(record: Pick<LogRecord, 'key' | 'value'>): boolean
  /** The same for a record that is decoded already. */
  acceptChange(change: PinChange): boolean
  /** The batch without the records that do not count. `done`: records before this position are dropped too, because they were judged before; null: none. */
  current(batch: LogBatch, done: number | null): LogBatch
  stats(): PinVersionsStats
  /** The versions as text, for a snapshot. */
  save(): string
  /** Replaces the versions with saved ones; '': none. */
  load(text: string): void
}

/** `stale`: records that did not count. `forgotten`: pins whose versions found no room. */
export interface PinVersionsStats {
  readonly versions: number
  readonly stale: number
  readonly forgotten: number
  readonly bytes: number
}

const isUsed = 1
const isDeletedFlag = 2
/** Added or changed since the last sweep. */
const isRecent = 4
const smallest = 64
/** When full, versions are swept at most once in this share of `maxVersions` changes, because a sweep looks at all of them. */
const sweepShare = 32

/**
 * No versions yet. At most `maxVersions` are kept. Beyond that, pins that were deleted longest ago are forgotten first; the feature-updater, which
 * forgets none, then takes back what a stale record does.
 */
export function createPinVersions({
  maxVersions,
  topic = 'pins.v1',
}: {
  readonly maxVersions: number
  readonly topic?: CatalogueTopic
}): PinVersions {
  let columns = columnsOf(smallest)
  let size = 0
  /** Deleted ones that the next sweep forgets. */
  let forgettable = 0
  let changesSinceSweep = 0
  let stale = 0
  let forgotten = 0
  const high = new Uint32Array(1)
  const low = new Uint32Array(1)

  function clear(capacity: number): void {
    columns = columnsOf(capacity)
    size = 0
    forgettable = 0
  }

  /** The slot of the key in `high` and `low`, or the free slot where it belongs. */
  function slotOf(h: number, l: number): number {
    const mask = columns.flags.length - 1
    let slot = (l ^ Math.imul(h, 0x9e3779b1)) & mask
    while (columns.flags[slot] !== 0 && (columns.high[slot] !== h || columns.low[slot] !== l)) slot = (slot + 1) & mask
    return slot
  }

  function put(h: number, l: number, version: number, flags: number): void {
    const slot = slotOf(h, l)
    if (columns.flags[slot] === 0) size++
    forgettable += Number(isForgettable(flags)) - Number(isForgettable(columns.flags[slot]!))
    columns.high[slot] = h
    columns.low[slot] = l
    columns.version[slot] = version
    columns.flags[slot] = flags
  }

  /** Copies the slots that `keeps` accepts into columns of this capacity. */
  function rebuild(capacity: number, keeps: (flags: number) => boolean): void {
    const before = columns
    clear(capacity)
    for (const [slot, flags] of before.flags.entries()) {
      if (flags === 0) continue
      if (keeps(flags)) put(before.high[slot]!, before.low[slot]!, before.version[slot]!, flags)
      else forgotten++
    }
  }

  /** Forgets pins that were deleted before the last sweep, if they are many or much has changed since. */
  function sweep(): void {
    const enough = maxVersions / sweepShare
    if (forgettable < enough && changesSinceSweep < enough) return
    changesSinceSweep = 0
    if (forgettable > 0) rebuild(columns.flags.length, (flags) => !isForgettable(flags))
    for (const [slot, flags] of columns.flags.entries()) {
      columns.flags[slot] = flags & ~isRecent
      if (isForgettable(flags & ~isRecent)) forgettable++
    }
  }

  /** Makes room for one more; false: there is none. */
  function makeRoom(): boolean {
    const capacity = columns.flags.length
    if (size >= maxVersions) sweep()
    if (size >= maxVersions) return false
    if (2 * (size + 1) > capacity) rebuild(2 * capacity, () => true)
    return true
  }

  /** Whether a change of a pin counts. `isValid`: asked before a version is set. */
  function judge(key: string, change: PinStamp, isValid: () => boolean): boolean {
    writePinKey(key, high, low, 0)
    const [h, l] = [high[0]!, low[0]!]
    let slot = slotOf(h, l)
    const flags = columns.flags[slot]!
    const known: PinStamp | null =
      flags === 0 ? null : { version: columns.version[slot]!, isDeleted: (flags & isDeletedFlag) !== 0 }
    const next = nextPinStamp(known, change)
    if (next === null) {
      stale++
      return false
    }
    if (next.version === null || !isValid()) return true
    changesSinceSweep++
    if (known === null) {
      if (!makeRoom()) {
        forgotten++
        return true
      }
      slot = slotOf(h, l)
    }
    put(h, l, next.version, isUsed | isRecent | (next.isDeleted ? isDeletedFlag : 0))
    return true
  }

  function accept({ key, value }: Pick<LogRecord, 'key' | 'value'>): boolean {
    const change = pinStampOf(value)
    return change === null || judge(key, change, () => isCatalogueChange(topic, key, value))
  }

  return {
    accept,
    acceptChange(change) {
      const isDeleted = change.kind === 'delete'
      const stamp = { version: change.version ?? null, isDeleted }
      return judge(isDeleted ? change.pinId : change.pin.pinId, stamp, () => true)
    },
    current(batch, done) {
      if (batch.topic !== topic) return batch
      const records = batch.records.filter((record) => record.position >= (done ?? 0) && accept(record))
      return records.length === batch.records.length ? batch : { ...batch, records }
    },
    stats: () => ({ versions: size, stale, forgotten, bytes: columns.flags.length * bytesPerSlot }),
    save() {
      if (size === 0) return ''
      const rows = new DataView(new ArrayBuffer(size * bytesPerSlot))
      let at = 0
      for (const [slot, flags] of columns.flags.entries()) {
        if (flags === 0) continue
        rows.setUint32(at, columns.high[slot]!)
        rows.setUint32(at + 4, columns.low[slot]!)
        rows.setFloat64(at + 8, columns.version[slot]!)
        rows.setUint8(at + 16, flags)
        at += bytesPerSlot
      }
      return Buffer.from(rows.buffer).toString('base64')
    },
    load(text) {
      const bytes = Buffer.from(text, 'base64')
      const rows = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let capacity = smallest
      while (capacity * bytesPerSlot < 2 * rows.byteLength) capacity *= 2
      clear(capacity)
      for (let at = 0; at + bytesPerSlot <= rows.byteLength; at += bytesPerSlot)
        put(rows.getUint32(at), rows.getUint32(at + 4), rows.getFloat64(at + 8), rows.getUint8(at + 16))
    },
  }
}

const bytesPerSlot = 17

function isForgettable(flags: number): boolean {
  return (flags & (isDeletedFlag | isRecent)) === isDeletedFlag
}

interface Columns {
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly version: Float64Array
  /** 0: the slot is free. */
  readonly flags: Uint8Array
}

function columnsOf(capacity: number): Columns {
  return {
    high: new Uint32Array(capacity),
    low: new Uint32Array(capacity),
    version: new Float64Array(capacity),
    flags: new Uint8Array(capacity),
  }
}
