/**
 * `npm run results`: measures and tries what test/RESULTS.md shows, and writes it.
 *
 *   node test/results/run.ts [--only SECTION,SECTION] [--small] [--render] [--list]
 *
 * Runs the sections one after the other, keeps what each came to in `records/`, and writes test/RESULTS.md and the table of the
 * root README after each. --small takes the small forms, --render only writes, --list prints the sections with their commands.
 * A section that failed stays in RESULTS.md as failed, beside its last figures. Exit code 1: a section failed.
 */
import { loadavg } from 'node:os'
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { measureSection } from './measure.ts'
import { keepRun, readRecords, recordsFolder } from './record.ts'
import { commandOf, minutesLeft, sections } from './sections.ts'
import { writeResults } from './write.ts'

const values = readArguments(
  'npm run results --',
  {
    only: { type: 'string' },
    small: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
  { only: 'SECTION,SECTION' },
)
const form = values.small ? 'small' : 'full'
const named = values.only?.split(',') ?? sections.map(({ name }) => name)
const unknown = named.filter((name) => !sections.some((section) => section.name === name))
if (unknown.length > 0)
  refuseArguments(`no sections: ${unknown.join(', ')}; there are ${sections.map(({ name }) => name).join(', ')}`)
const wanted = sections.filter(({ name, small }) => named.includes(name) && (form === 'full' || small !== null))
const minutes = wanted.reduce((sum, section) => sum + section.minutes[form], 0)

if (values.list) {
  for (const section of wanted)
    console.log(
      `${section.name.padEnd(24)} ${String(section.minutes[form]).padStart(4)} min  ${commandOf(section, form)}`,
    )
  console.log(`${wanted.length} sections, about ${minutes} minutes`)
} else if (!values.render) {
  const failed: string[] = []
  const startedAtMs = performance.now()
  for (const [at, section] of wanted.entries()) {
    const left = minutesLeft(wanted.slice(at), form)
    const say = (text: string): void => {
      const passed = ((performance.now() - startedAtMs) / 60_000).toFixed(1)
      process.stderr.write(`[${at + 1} of ${wanted.length}, ${passed} min passed, ${left}] ${text}\n`)
    }
    say(`${section.name}: ${commandOf(section, form)}, load ${loadavg()[0]!.toFixed(1)}`)
    const run = await measureSection(section, form, say)
    keepRun(recordsFolder, section.name, form, run)
    writeResults(readRecords())
    if ('origin' in run) continue
    failed.push(section.name)
    console.log(`${section.name} FAILED:\n${run.problems.join('\n')}`)
  }
  console.log(`${wanted.length - failed.length} of ${wanted.length} sections held`)
  if (failed.length > 0) console.log(`FAILED: ${failed.join(', ')}`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
if (values.render) writeResults(readRecords())
