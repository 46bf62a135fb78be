/**
 * Versions of a release.
 *
 *   npx node deploy/release/run.ts set 0.2.0       writes the version wherever it stands, and heads the changelog's entries with it
 *   npx node deploy/release/run.ts check v0.2.0    whether everything fits the tag; exit code 1 with what does not
 *   npx node deploy/release/run.ts notes v0.2.0    prints the notes of the release, from CHANGELOG.md
 */
import { join } from 'node:path'
import { changelog, releaseProblems, setVersion } from './version.ts'

const root = join(import.meta.dirname, '../..')
const [command = '', given = ''] = process.argv.slice(2)
const commands: Readonly<Record<string, () => void>> = {
  set: () => setVersion(root, given, new Date().toISOString().slice(0, 10)),
  check: () => {
    const problems = releaseProblems(root, given)
    for (const problem of problems) console.error(problem)
    process.exitCode = problems.length === 0 ? 0 : 1
    if (problems.length === 0) console.log(`everything fits ${given}`)
  },
  notes: () => {
    const notes = changelog(root).get(given.replace(/^v/, ''))
    if (notes === undefined || notes === '') throw new Error(`CHANGELOG.md has no entries for ${given}`)
    console.log(notes)
  },
}
const run = commands[command]
if (run === undefined || given === '') {
  console.error('usage: npx node deploy/release/run.ts set VERSION | check TAG | notes TAG')
  process.exitCode = 78
} else run()
