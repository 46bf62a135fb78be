import { join } from 'node:path'
import { readArguments } from '../harness/arguments.ts'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { readCases, type NamedCase } from './cases.ts'
import { fuzz } from './play-fuzz.ts'
import { playCase, type Played } from './play.ts'
import { startTarget, type Target } from './target-process.ts'

/**
 * `npm run hostile [-- --cases DIR] [--only TEXT] [--fuzz N] [--seed N] [--json FILE]`: plays every case, then mutated requests, against
 * all services in one process behind their real servers, and prints what came back. Ends with 1 where a law is broken.
 */
const values = readArguments(
  'npm run hostile --',
  {
    cases: { type: 'string', multiple: true },
    only: { type: 'string', default: '' },
    fuzz: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
  { cases: 'DIR', only: 'TEXT', fuzz: 'N', seed: 'N', json: 'FILE' },
)

const folders = [join(import.meta.dirname, 'cases'), ...(values.cases ?? [])]
const cases = folders.flatMap((folder) => readCases(folder)).filter(({ name }) => name.includes(values.only))
const target = await startTarget()
const figures: FigureRow[] = []
const problems: string[] = []
const failed = (await playAll(target, cases)) + (await playFuzz(target, Number(values.fuzz)))
await target.stop()
writeFigures(values.json, { columns: ['count', 'break a law'], rows: figures, problems })
process.exitCode = failed === 0 ? 0 : 1

async function playAll(on: Target, all: readonly NamedCase[]): Promise<number> {
  const before = await on.read(true)
  let broken = 0
  const brokenBy = new Map<string, number>()
  for (const each of all) {
    const played = await playCase(on, each)
    if (played.broken.length > 0) {
      const group = each.name.split('/')[0]!
      brokenBy.set(group, (brokenBy.get(group) ?? 0) + 1)
      broken++
    }
    print(played)
    if (on.ended() !== null) break
  }
  const held = on.ended() === null ? (await on.read(true)).heldBytes - before.heldBytes : 0
  for (const [group, named] of Map.groupBy(all, ({ name }) => name.split('/')[0]!))
    figures.push({ key: `named cases, ${group}`, cells: [String(named.length), String(brokenBy.get(group) ?? 0)] })
  figures.push({ key: 'named cases in all', cells: [String(all.length), String(broken)] })
  figures.push({ key: 'memory held afterwards', cells: [`${(held / 2 ** 20).toFixed(1)} MiB more`, ''] })
  console.log(
    `${all.length} cases, ${broken} break a law; memory held afterwards: ${(held / 2 ** 20).toFixed(1)} MiB more`,
  )
  return broken
}

async function playFuzz(on: Target, count: number): Promise<number> {
  const { broken, played } = await fuzz(on, { seed: values.seed, count, onBroken: print })
  console.log(`${played} mutated requests of seed ${values.seed}, ${broken} break a law`)
  figures.push({ key: `mutated requests of seed ${values.seed}`, cells: [String(played), String(broken)] })
  return broken
}

function print({ name, answer, broken, grownBytes, ms }: Played): void {
  const mark = broken.length === 0 ? '✓' : '✗'
  const figures = `${ms.toFixed(0).padStart(5)} ms ${(Math.max(0, grownBytes) / 2 ** 20).toFixed(0).padStart(4)} MiB`
  console.log(`${mark} ${name.padEnd(58)} ${figures}  ${answer}`)
  for (const law of broken) console.log(`    ${law}`)
  problems.push(...broken.map((law) => `${name}: ${law}`))
}
