import { readArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { plant } from '../simulation/planted-bugs.ts'
import { plantedBugs } from './planted-bugs.ts'

/**
 * `node test/feeds/run.ts [--feeds N] [--seed N] [--mix] [--bug NAME] [--bugs] [--json FILE]`: checks feeds of a random world. `--mix` gives sources shares of the page. `--bug` plants a bug first and ends at the
 * first violation; `--bugs` lists them. Ends with 1 where a rule is broken.
 */
const values = readArguments(
  'npm run feeds --',
  {
    feeds: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    mix: { type: 'boolean', default: false },
    bug: { type: 'string' },
    bugs: { type: 'boolean' },
    json: { type: 'string' },
  },
  { feeds: 'N', seed: 'N', bug: 'NAME', json: 'FILE' },
)

if (values.bugs === true) {
  for (const { name, means } of plantedBugs) console.log(`${name}: ${means}`)
} else {
  if (values.bug !== undefined) plant(values.bug, plantedBugs)
  const { playFeeds } = await import('./play.ts')
  const startedAt = performance.now()
  const played = await playFeeds({
    seed: Number(values.seed),
    feeds: Number(values.feeds),
    mixes: values.mix,
    endsAtFirst: values.bug !== undefined,
    onProgress: (feeds) => process.stderr.write(`${feeds} feeds\r`),
  })
  const { feeds, items, acts, pages, seenAgain, violations, digest } = played
  const seconds = (performance.now() - startedAt) / 1000
  console.log(
    `${feeds} feeds, ${items} pins (${seenAgain} seen again), ${acts} acts; pages ${pages.full} full, ${pages.short} short, ${pages.empty} empty, ${pages.degraded} degraded; ${seconds.toFixed(1)} s; digest ${digest.slice(0, 16)}`,
  )
  for (const [rule, { example, count }] of violations) console.log(`${count} × ${rule} — ${example}`)
  console.log(violations.size === 0 ? 'no rule is broken' : `${violations.size} rules are broken`)
  const count = (number: number): string => number.toLocaleString('en')
  writeFigures(values.json, {
    columns: ['count'],
    rows: [
      { key: 'feeds asked', cells: [count(feeds)] },
      { key: 'pins in them', cells: [count(items)] },
      { key: 'acts of users', cells: [count(acts)] },
      { key: 'full pages', cells: [count(pages.full)] },
      { key: 'short pages', cells: [count(pages.short)] },
      { key: 'empty pages', cells: [count(pages.empty)] },
      { key: 'degraded pages', cells: [count(pages.degraded)] },
      { key: 'rules that were broken', cells: [count(violations.size)] },
    ],
    problems: [...violations].map(([rule, { example, count: times }]) => `${times} × ${rule}: ${example}`),
  })
  process.exitCode = violations.size === 0 ? 0 : 1
}
