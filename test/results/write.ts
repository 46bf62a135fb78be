import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reachedTable } from './reached.ts'
import type { SectionRecord } from './record.ts'
import { renderResults } from './render.ts'

const root = join(import.meta.dirname, '../..')

/** Writes test/RESULTS.md, and the table of the root README that shows some of it. */
export function writeResults(records: ReadonlyMap<string, SectionRecord>): void {
  writeFileSync(join(root, 'test/RESULTS.md'), renderResults(records))
  const readme = join(root, 'README.md')
  const text = readFileSync(readme, 'utf8')
  writeFileSync(
    readme,
    text.replace(
      /(<!-- table: reached -->\n)[\s\S]*?(\n<!-- \/table -->)/,
      (_all, before: string, after: string) => `${before}${reachedTable(records)}${after}`,
    ),
  )
}
