import { readArguments } from '../../harness/arguments.ts'
import { plant } from '../planted-bugs.ts'
import { joinerBugs } from './planted-bugs.ts'

/**
 * `node test/simulation/joiner/run.ts [--seeds N] [--from N] [--seed N] [--bug NAME] [--bugs]`: simulates the joiner.
 * `--seed` replays one seed with its trace; `--bug` plants a bug first; `--bugs` lists them. Ends with 1 if the laws are broken.
 */
const values = readArguments(
  'node test/simulation/joiner/run.ts',
  {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    bugs: { type: 'boolean' },
  },
  { seeds: 'N', from: 'N', seed: 'N', bug: 'NAME' },
)

if (values.bugs === true) for (const { name, means } of joinerBugs) console.log(`${name}: ${means}`)
else await simulateSeeds()

async function simulateSeeds(): Promise<void> {
  if (values.bug !== undefined) plant(values.bug, joinerBugs)
  const { simulateJoiner } = await import('./simulate.ts')
  const first = Number(values.seed ?? values.from)
  const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first
  const totals = { records: 0, crashes: 0, spilled: 0 }
  for (let seed = first; seed <= last; seed++) {
    const { violations, records, crashes, spilled, trace } = await simulateJoiner(seed)
    if (values.seed !== undefined) console.log(trace.join('\n'))
    totals.records += records
    totals.crashes += crashes
    totals.spilled += Number(spilled > 0)
    if (violations.length === 0) continue
    const bug = values.bug === undefined ? '' : ` --bug ${values.bug}`
    console.log(`seed ${seed} breaks the laws:\n${violations.slice(0, 10).join('\n')}`)
    console.log(`replay: node test/simulation/joiner/run.ts --seed ${seed}${bug}`)
    process.exitCode = 1
    return
  }
  const { records, crashes, spilled } = totals
  console.log(
    `${last - first + 1} seeds, ${records} records, ${crashes} crashes, ${spilled} runs with records in files: the laws hold`,
  )
}
