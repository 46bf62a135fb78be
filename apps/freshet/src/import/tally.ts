/** Refused rows of one kind. */
export interface Refusals {
  readonly code: string
  readonly field: string
  count: number
  /** `file:line` of the first ones. */
  readonly places: string[]
  /** The message of the first one. */
  readonly example: string
}

/** What became of the rows that were read. */
export interface Tally {
  /** Rows, without the header and blank lines. */
  read: number
  pins: number
  engagements: number
  /** Rows that rules leave out, and lines of a recording that are neither pins nor engagements. */
  leftOut: number
  /** Rows that are the same as an earlier one of this import. */
  repeated: number
  /** Events that an earlier import, or somebody else, brought. */
  imported: number
  /** Catalogue entries that are as they were. */
  unchanged: number
  readonly refusals: Map<string, Refusals>
}

const maxPlaces = 8

/** Nothing read. */
export function newTally(): Tally {
  return { read: 0, pins: 0, engagements: 0, leftOut: 0, repeated: 0, imported: 0, unchanged: 0, refusals: new Map() }
}

/** Takes a refused row into account. */
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

/** All refused rows. */
export function refusedIn({ refusals }: Tally): number {
  return [...refusals.values()].reduce((sum, { count }) => sum + count, 0)
}

/** What the services made of the events: counted by them. */
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

/** The table at the end of an import, a line each. `applied`: null where nobody was asked; `alone`: nothing else was applied meanwhile. */
export function tableOf(tally: Tally, applied: Applied | null, madePins: number, alone = true): readonly string[] {
  const refused = refusedIn(tally)
  const rows: (readonly [string, number, string])[] = [
    ['read', tally.read, 'rows'],
    ['accepted', tally.pins + tally.engagements, ''],
    ['  engagements', tally.engagements, ''],
    ['  pins', tally.pins, tally.unchanged > 0 ? `and ${grouped(tally.unchanged)} unchanged` : ''],
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
  if (tally.leftOut > 0) rows.push(['left out', tally.leftOut, 'by rules, or questions and marks of a recording'])
  if (tally.repeated > 0) rows.push(['repeated', tally.repeated, 'the same as an earlier row of this import'])
  if (tally.imported > 0) rows.push(['there already', tally.imported, 'from an earlier import'])
  if (madePins > 0) rows.push(['pins made', madePins, 'of ids that had no catalogue entry'])
  if (applied !== null) {
    rows.push(
      [
        'applied',
        applied.applied,
        `to user state, counted by the feature updater${alone ? '' : ', other traffic included'}`,
      ],
      ['late', applied.late, ''],
    )
    if (applied.duplicate > 0) rows.push(['duplicate', applied.duplicate, 'events that the updater knew'])
    if (applied.deadLettered > 0) rows.push(['dead letters', applied.deadLettered, '`freshet dlq list` shows them'])
    if (applied.erased > 0) rows.push(['erased', applied.erased, 'of users who were erased later than that'])
  }
  const widest = Math.max(...rows.map(([label]) => label.length))
  const digits = Math.max(...rows.map(([, count]) => grouped(count).length))
  return rows.map(([label, count, note]) =>
    `${label.padEnd(widest)}  ${grouped(count).padStart(digits)}  ${note}`.trimEnd(),
  )
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
