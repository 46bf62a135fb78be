import type { FigureTable } from '../harness/figures.ts'
import type { FailedRun, HandRecord, Machine, MeasuredRun, SectionRecord } from './record.ts'
import { chapters, commandOf, type Section, sections } from './sections.ts'

/** test/RESULTS.md from the records alone. */
export function renderResults(records: ReadonlyMap<string, SectionRecord>): string {
  return `${[
    '# Results',
    'What was measured and tried, by which command, when and where. `npm run results` runs the commands and writes this file from their records in `test/results/records`; a test compares both. Do not edit it.',
    'A figure "recorded by hand" stood in a document before this command existed; the next full run replaces it. The small form shows that a command runs: its figures say little. Absolute times vary from machine to machine and with its load: compare ratios.',
    machinesText(records),
    ...chapters.flatMap((chapter) => [
      `## ${chapter}`,
      ...sections.filter((section) => section.chapter === chapter).flatMap((section) => sectionText(section, records)),
    ]),
    commandsText(records),
  ].join('\n\n')}\n`
}

function sectionText(section: Section, records: ReadonlyMap<string, SectionRecord>): readonly string[] {
  const { full, small, failed } = records.get(section.name) ?? {}
  return [
    `### ${section.title}`,
    ...(section.says === undefined ? [] : [section.says]),
    ...(failed === undefined ? [] : [failureText(failed)]),
    ...(full === undefined ? [] : [headText(full, 'full form'), tableText(full)]),
    ...(small === undefined ? [] : [headText(small, 'small form'), tableText(small)]),
    ...(full === undefined && small === undefined ? ['No run is on record.'] : []),
  ]
}

function headText(run: MeasuredRun | HandRecord, form: string): string {
  if (run.origin === 'by hand')
    return `Recorded by hand on ${run.date} from ${run.from}. ${run.measured} Command: \`${run.command}\`.`
  const { date, commit, load, seconds, machine, command } = run
  return `${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, ${form}, ${seconds.toFixed(0)} s, ${machine.cores} cores, load average ${load.before.toFixed(1)} before and at most ${load.most.toFixed(1)}: \`${command}\`.`
}

function failureText({ date, commit, form, command, problems }: FailedRun): string {
  const lines = problems.slice(0, 20).map((problem) => `    ${problem.replaceAll('\n', '\n    ')}`)
  return `**The last run FAILED** (${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, ${form} form, \`${command}\`):\n\n${lines.join('\n')}`
}

/** Rows as a table of Markdown. A column of notes becomes a list below it, each note once. */
function tableText({ columns, rows }: FigureTable): string {
  const at = columns.indexOf('note')
  if (at >= 0) {
    const notes = [...new Set(rows.map(({ cells }) => cells[at]!))].filter((note) => note !== '')
    const numbered = rows.map(({ key, cells }) => ({
      key,
      cells: cells.map((cell, column) => (column === at && cell !== '' ? `[${notes.indexOf(cell) + 1}]` : cell)),
    }))
    const list = notes.map((note, index) => `${index + 1}. ${note}`)
    const renamed = columns.map((name) => (name === 'note' ? '' : name))
    return [
      tableText({ columns: renamed, rows: numbered, problems: [] }),
      ...(list.length > 0 ? ['', ...list] : []),
    ].join('\n')
  }
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [
    line(['what', ...columns]),
    `|${' --- |'.repeat(columns.length + 1)}`,
    ...rows.map(({ key, cells }) => line([key, ...cells])),
  ].join('\n')
}

function machinesText(records: ReadonlyMap<string, SectionRecord>): string {
  const machines = new Set(
    [...records.values()].flatMap(({ full, small }) =>
      [full, small].flatMap((run) => (run?.origin === 'run' ? [machineText(run.machine)] : [])),
    ),
  )
  return `Machines of the runs:\n\n${[...machines].map((text) => `- ${text}`).join('\n')}`
}

function machineText({ cpu, cores, memoryGiB, versions }: Machine): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${cores} cores (${cpu}), ${memoryGiB} GiB; ${named.join(', ')}`
}

function commandsText(records: ReadonlyMap<string, SectionRecord>): string {
  const rows = sections.map((section) => {
    const { full, small, failed } = records.get(section.name) ?? {}
    const state = [
      full === undefined ? '' : full.origin === 'run' ? `full ${full.date.slice(0, 10)}` : 'by hand',
      small === undefined ? '' : `small ${small.date.slice(0, 10)}`,
      failed === undefined ? '' : 'FAILED',
    ].filter((word) => word !== '')
    return {
      key: `\`npm run results -- --only ${section.name}\``,
      cells: [
        `\`${commandOf(section, 'full')}\``,
        section.needs.join(', ') || '–',
        String(section.minutes.full),
        section.small === null ? '–' : String(section.minutes.small),
        state.join(', ') || 'none',
      ],
    }
  })
  const columns = ['runs', 'needs', 'minutes, full, about', 'minutes, small, about', 'on record']
  return `## The commands\n\n${tableText({ columns, rows, problems: [] })}`
}
