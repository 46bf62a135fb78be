import { readArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { plant, plantedBugs } from './planted-bugs.ts'

/**
 * `node test/simulation/run.ts [--seeds N] [--from N] [--seed N] [--bug NAME] [--bugs] [--json FILE]`: simulates the feature updater.
 * `--seed` replays one seed with its trace; `--bug` plants a bug first; `--bugs` lists them. Ends with 1 where the law is broken.
 */
const values = readArguments(
  'npm run simulate --',
  {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    bugs: { type: 'boolean' },
    json: { type: 'string' },
  },
  { seeds: 'N', from: 'N', seed: 'N', bug: 'NAME', json: 'FILE' },
)

if (values.bugs === true) {
  for (const { name, means } of plantedBugs) console.log(`${name}: ${means}`)
} else {
  if (values.bug !== undefined) plant(values.bug)
  const { simulate } = await import('./simulate.ts')
  if (values.seed !== undefined) {
    const result = await simulate(Number(values.seed))
    console.log(result.trace.join('\n'))
    console.log(result.violations.length === 0 ? `seed ${result.seed}: the law holds` : result.violations.join('\n'))
    process.exitCode = result.violations.length === 0 ? 0 : 1
  } else {
    const first = Number(values.from)
    const last = first + Number(values.seeds) - 1
    const startedAt = process.hrtime.bigint()
    let events = 0
    let crashes = 0
    let moves = 0
    const problems: string[] = []
    for (let seed = first; seed <= last; seed++) {
      const result = await simulate(seed)
      events += result.events
      crashes += result.crashes
      moves += result.moves
      if (result.violations.length > 0) {
        problems.push(...result.violations.slice(0, 10).map((text) => `seed ${seed}: ${text}`))
        console.log(`seed ${seed} breaks the law:\n${result.violations.slice(0, 10).join('\n')}`)
        console.log(
          `replay: node test/simulation/run.ts --seed ${seed}${values.bug === undefined ? '' : ` --bug ${values.bug}`}`,
        )
        process.exitCode = 1
        break
      }
    }
    const count = (number: number): string => number.toLocaleString('en')
    writeFigures(values.json, {
      columns: ['count'],
      rows: [
        { key: 'histories (seeds)', cells: [count(last - first + 1)] },
        { key: 'events', cells: [count(events)] },
        { key: 'crashes', cells: [count(crashes)] },
        { key: 'moved positions', cells: [count(moves)] },
        {
          key: 'histories that break the law accepted = applied + dead-lettered + late',
          cells: [problems.length === 0 ? '0' : '1'],
        },
      ],
      problems,
    })
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
    if (process.exitCode !== 1) {
      console.log(
        `${last - first + 1} seeds, ${events} events, ${crashes} crashes, ${moves} moved positions in ${seconds.toFixed(1)} s: the law holds`,
      )
    }
  }
}
