/** Refused rows of one kind. */
export interface Refusals {
  readonly code: string
  readonly field: string
  count: number
  /** `file:line` of the first ones. */
  readonly places: string[]
  /** The message for the first of them. */
  readonly example: string
}

/** The results of all rows. */
export interface Tally {
  /** Number of rows without the header and blank lines. */
  read: number
  pins: number
  engagements: number
  /** Rows that rules skip, and questions and marks of recordings. */
  leftOut: number
  /** Rows equal to an earlier row of this import. */
  repeated: number
  /** Events that the destination had before. */
  imported: number
  /** Catalogue entries that did not change. */
  unchanged: number
  readonly refusals: Map<string, Refusals>
}

const maxPlaces = 8

/** A tally of zeros. */
export function newTally(): Tally {
  return { read: 0, pins: 0, engagements: 0, leftOut: 0, repeated: 0, imported: 0, unchanged: 0, refusals: new Map() }
}

/** Counts a refused row. */
export function refuseRow(
  { refusals }: Tally,
  place: string,
  { code, field, message }: { readonly code: string; readonly field: string; readonly message: string },
): void {
  const key = `${code} ${field}`
  const known = refusals.get(key)
  if (known === undefined) refusals.set(key, { code, field, count: 1, places: [place], example: message })
  else {
    known.count++
    if (known.places.length < maxPlaces) known.places.push(place)
  }
}

/** Number of refused rows. */
export function countRefused({ refusals }: Tally): number {
  return [...refusals.values()].reduce((sum, { count }) => sum + count, 0)
}

/** The feature updater's counts of events by outcome. */
export interface Applied {
  readonly applied: number
  readonly late: number
  readonly duplicate: number
  readonly deadLettered: number
  readonly erased: number
}

/** What was applied between two counts of the services. */
export function appliedBetween(before: Applied, after: Applied): Applied {
  return {
    applied: after.applied - before.applied,
    late: after.late - before.late,
    duplicate: after.duplicate - before.duplicate,
    deadLettered: after.deadLettered - before.deadLettered,
    erased: after.erased - before.erased,
  }
}

/** The lines of the table at the end of an import. `applied` null: unknown; `alone`: the import was the only source of events. */
export function formatTable(tally: Tally, applied: Applied | null, madePins: number, alone = true): readonly string[] {
  const refused = countRefused(tally)
  const rows: (readonly [string, number, string])[] = [
    ['read', tally.read, 'rows'],
    ['accepted', tally.pins + tally.engagements, ''],
    ['  engagements', tally.engagements, ''],
    ['  pins', tally.pins, tally.unchanged > 0 ? `and ${formatCount(tally.unchanged)} unchanged` : ''],
    ['refused', refused, ''],
    ...[...tally.refusals.values()]
      .toSorted((a, b) => b.count - a.count)
      .map(({ code, field, count, places, example }) => {
        const more = count > places.length ? ', …' : ''
        return [
          `  ${code}${field === '' ? '' : ` ${field}`}`,
          count,
          `${places.join(', ')}${more}: ${example}`,
        ] as const
      }),
  ]
  if (tally.leftOut > 0) rows.push(['skipped', tally.leftOut, 'by rules, or questions and marks of a recording'])
  if (tally.repeated > 0) rows.push(['repeated', tally.repeated, 'equal to an earlier row of this import'])
  if (tally.imported > 0) rows.push(['there already', tally.imported, 'the destination had these events before'])
  if (madePins > 0) rows.push(['pins created', madePins, 'with the id alone, for pins without a catalogue entry'])
  if (applied !== null) {
    rows.push(
      [
        'applied',
        applied.applied,
        `to user state, counted by the feature updater${alone ? '' : ', including other traffic'}`,
      ],
      ['late', applied.late, ''],
    )
    if (applied.duplicate > 0)
      rows.push(['duplicate', applied.duplicate, 'the updater had applied these events before'])
    if (applied.deadLettered > 0) rows.push(['dead letters', applied.deadLettered, '`freshet dlq list` shows them'])
    if (applied.erased > 0) rows.push(['erased', applied.erased, 'of users who were erased after these events'])
  }
  const widest = Math.max(...rows.map(([label]) => label.length))
  const digits = Math.max(...rows.map(([, count]) => formatCount(count).length))
  return rows.map(([label, count, note]) =>
    `${label.padEnd(widest)}  ${formatCount(count).padStart(digits)}  ${note}`.trimEnd(),
  )
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
