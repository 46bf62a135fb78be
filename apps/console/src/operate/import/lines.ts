import type { Job } from './types.ts'

/** A line of the table of an import. */
export interface TableLine {
  readonly name: string
  readonly count: number
  readonly note: string
  readonly tone: 'good' | 'bad' | 'plain'
  /** Whether it is a part of the line above. */
  readonly isPart: boolean
}

/** The table of an import. Lines that say nothing are left out. */
export function tableLines({ dryRun, state, table }: Pick<Job, 'dryRun' | 'state' | 'table'>): readonly TableLine[] {
  const { read, accepted, engagements, pins, unchanged, refused, leftOut, repeated, imported, madePins, applied } =
    table
  const line = (name: string, count: number, note = '', more: Partial<TableLine> = {}): TableLine => ({
    ...{ name, count, note, tone: 'plain', isPart: false },
    ...more,
  })
  const some = (shown: TableLine): readonly TableLine[] => (shown.count > 0 ? [shown] : [])
  const others = applied === null ? 0 : Math.max(0, applied.applied + applied.duplicate + applied.erased - engagements)
  return [
    line('Read', read, 'rows without the header and blank lines'),
    line(dryRun ? 'Would be accepted' : 'Accepted', dryRun ? engagements + pins : accepted, '', { tone: 'good' }),
    ...some(line('engagements', engagements, '', { isPart: true })),
    ...some(line('pins', pins, '', { isPart: true })),
    line('Refused', refused, refused > 0 ? 'see below, with their lines' : '', { tone: refused > 0 ? 'bad' : 'plain' }),
    ...some(line('Skipped', leftOut, 'by rules, or not an event')),
    ...some(line('Repeated', repeated, 'equal to an earlier row of this file')),
    ...some(line('There already', imported, 'an earlier import or your application sent them')),
    ...some(line('Unchanged', unchanged, 'catalogue entries that are the same')),
    ...some(line('Pins created', madePins, 'with the id alone, for pins without a catalogue entry')),
    ...(applied === null
      ? !dryRun && state === 'done' && engagements > 0
        ? [line('Applied', 0, 'not known: no feature updater can be asked')]
        : []
      : [
          line(
            'Applied',
            applied.applied,
            others > 0 ? `with ${others} of other traffic at that time` : 'to the state of users',
            {
              tone: 'good',
            },
          ),
          ...some(line('Duplicates', applied.duplicate, 'the updater had applied them before')),
          ...some(line('Dead letters', applied.deadLettered, 'System shows them', { tone: 'bad' })),
          ...some(line('Erased', applied.erased, 'of users who were erased after these events')),
        ]),
  ]
}

/** Field names for people. */
const fieldWords: Readonly<Record<string, string>> = {
  userId: 'user',
  pinId: 'pin (item)',
  occurredAt: 'time',
  action: 'action',
  rating: 'rating',
  title: 'title',
  topics: 'topics',
  creatorId: 'creator',
  createdAt: 'time of creation',
}

/** A field with its name in words. */
export function fieldName(field: string): string {
  const words = fieldWords[field]
  return words === undefined ? field : `${field} – ${words}`
}
