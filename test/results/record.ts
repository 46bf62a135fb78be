import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FigureTable } from '../harness/figures.ts'

/** Where the records are: one file for each section. */
export const recordsFolder = join(import.meta.dirname, 'records')

/** The whole measurement, or a short one that shows that it runs. */
export type Form = 'full' | 'small'

/** The machine of a run. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly versions: Readonly<Record<string, string>>
}

/** Figures that a command wrote. */
export interface MeasuredRun extends FigureTable {
  readonly origin: 'run'
  readonly date: string
  readonly commit: string
  readonly command: string
  readonly seconds: number
  /** Load average of one minute: before the run, and the highest during it. */
  readonly load: { readonly before: number; readonly most: number }
  readonly machine: Machine
}

/** Figures that stood in a document before `npm run results` existed. Its next run replaces them. */
export interface HandRecord extends FigureTable {
  readonly origin: 'by hand'
  /** When they were taken over. */
  readonly date: string
  /** The document and the commit where they stood. */
  readonly from: string
  /** When and how they were measured, as the document says it. */
  readonly measured: string
  readonly command: string
}

/** A run that did not come to an end, or where something did not hold. */
export interface FailedRun {
  readonly date: string
  readonly commit: string
  readonly command: string
  readonly form: Form
  readonly load: { readonly before: number; readonly most: number }
  readonly problems: readonly string[]
}

/** What is known of a section. */
export interface SectionRecord {
  readonly full?: MeasuredRun | HandRecord
  readonly small?: MeasuredRun
  /** The last run, if it failed. */
  readonly failed?: FailedRun
}

/** All records by the name of their section. */
export function readRecords(folder = recordsFolder): ReadonlyMap<string, SectionRecord> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return new Map(
    files
      .toSorted()
      .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(join(folder, name), 'utf8')) as SectionRecord]),
  )
}

/** Puts a run into the record of its section. A run that holds removes a failure, unless the failure was of the full form and the run is small. */
export function keepRun(folder: string, section: string, form: Form, run: MeasuredRun | FailedRun): void {
  const file = join(folder, `${section}.json`)
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SectionRecord) : {}
  const { failed, ...good } = before
  const isFailure = !('origin' in run)
  const stays = failed !== undefined && failed.form === 'full' && form === 'small'
  const after: SectionRecord = isFailure
    ? { ...good, failed: run }
    : { ...good, [form]: run, ...(stays ? { failed } : {}) }
  writeFileSync(file, `${JSON.stringify(after, null, 2)}\n`)
}
