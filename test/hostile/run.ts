import { join } from 'node:path'
import { readArguments } from '../harness/arguments.ts'
import { readCases, type NamedCase } from './cases.ts'
import { fuzz } from './play-fuzz.ts'
import { playCase, type Played } from './play.ts'
import { startTarget, type Target } from './target-process.ts'

/**
 * `npm run hostile [-- --cases DIR] [--only TEXT] [--fuzz N] [--seed N]`: plays every case, then mutated requests, against
 * all services in one process behind their real servers, and prints what came back. Ends with 1 where a law is broken.
 */
const values = readArguments(
  'npm run hostile --',
  {
    cases: { type: 'string', multiple: true },
    only: { type: 'string', default: '' },
    fuzz: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
  { cases: 'DIR', only: 'TEXT', fuzz: 'N', seed: 'N' },
)

const folders = [join(import.meta.dirname, 'cases'), ...(values.cases ?? [])]
const cases = folders.flatMap((folder) => readCases(folder)).filter(({ name }) => name.includes(values.only))
const target = await startTarget()
const failed = (await playAll(target, cases)) + (await playFuzz(target, Number(values.fuzz)))
await target.stop()
process.exitCode = failed === 0 ? 0 : 1

async function playAll(on: Target, all: readonly NamedCase[]): Promise<number> {
  const before = await on.read(true)
  let broken = 0
  for (const each of all) {
    const played = await playCase(on, each)
    if (played.broken.length > 0) broken++
    print(played)
    if (on.ended() !== null) break
  }
  const held = on.ended() === null ? (await on.read(true)).heldBytes - before.heldBytes : 0
  console.log(
    `${all.length} cases, ${broken} break a law; memory held afterwards: ${(held / 2 ** 20).toFixed(1)} MiB more`,
  )
  return broken
}

async function playFuzz(on: Target, count: number): Promise<number> {
  const { broken, played } = await fuzz(on, { seed: values.seed, count, onBroken: print })
  console.log(`${played} mutated requests of seed ${values.seed}, ${broken} break a law`)
  return broken
}

function print({ name, answer, broken, grownBytes, ms }: Played): void {
  const mark = broken.length === 0 ? '✓' : '✗'
  const figures = `${ms.toFixed(0).padStart(5)} ms ${(Math.max(0, grownBytes) / 2 ** 20).toFixed(0).padStart(4)} MiB`
  console.log(`${mark} ${name.padEnd(58)} ${figures}  ${answer}`)
  for (const law of broken) console.log(`    ${law}`)
}
