/**
 * A world of users with hidden tastes: against the product, with reference policies beside it, or as the program of `freshet world`.
 *
 *   npm run world -- [--seed N,N] [--days N] [--users N] [--pins N] [--variant NAME] [--policy product,random,…] [--config FILE] [--json] [--figures FILE]
 *   npx freshet world --command "npx node test/worlds/run.ts --protocol"
 *
 * With `--protocol` it speaks JSON lines on standard input and output; without, it prints a table of the policies. `product` is
 * the feed, asked by `freshet world` in a process of its own; `--config` is its settings.
 */
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { writeFigures } from '../harness/figures.ts'
import { runFreshet } from '../quality/freshet.ts'
import { createPolicy, policyNames } from './policies.ts'
import { createProtocolPlayer } from './program.ts'
import type { WorldReport } from './protocol.ts'
import { defaultWorld, variants, type WorldSettings } from './settings.ts'
import { figuresOfReports, summary, table } from './table.ts'
import { playWorld } from './world.ts'

const values = readArguments(
  'npm run world --',
  {
    seed: { type: 'string', default: '1' },
    days: { type: 'string', default: String(defaultWorld.days) },
    users: { type: 'string', default: String(defaultWorld.users) },
    pins: { type: 'string', default: String(defaultWorld.pins) },
    variant: { type: 'string', default: 'shipped' },
    policy: { type: 'string', default: ['product', ...policyNames].join(',') },
    config: { type: 'string' },
    protocol: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    figures: { type: 'string' },
  },
  {
    seed: 'N,N',
    days: 'N',
    users: 'N',
    pins: 'N',
    variant: 'NAME',
    policy: 'NAME,NAME',
    config: 'FILE',
    figures: 'FILE',
  },
)
const variant = variants[values.variant]
if (variant === undefined)
  refuseArguments(`--variant ${values.variant} is not known; there are ${Object.keys(variants).join(', ')}`)
const settings: WorldSettings = {
  ...defaultWorld,
  ...variant,
  days: Number(values.days),
  users: Number(values.users),
  pins: Number(values.pins),
}

if (values.protocol) {
  await playWorld({ ...settings, seed: Number(values.seed) }, await createProtocolPlayer(process.stdin, process.stdout))
} else {
  const reports: WorldReport[] = []
  const seeds = values.seed.split(',').map(Number)
  for (const seed of seeds) {
    const own: WorldReport[] = []
    for (const policy of values.policy.split(',')) own.push(await reportOf(policy, seed))
    console.log(values.json ? own.map((report) => JSON.stringify(report)).join('\n') : table(own))
    reports.push(...own)
  }
  writeFigures(values.figures, { ...figuresOfReports(reports), problems: [] })
  if (seeds.length > 1 && !values.json) console.log(summary(reports))
}

async function reportOf(name: string, seed: number): Promise<WorldReport> {
  if (name === 'product') return playProduct(seed)
  const policy = policyNames.find((known) => known === name)
  if (policy === undefined)
    throw new Error(`--policy ${name} is not known; there are ${['product', ...policyNames].join(', ')}`)
  return playWorld({ ...settings, seed }, createPolicy(policy, seed))
}

/** Plays the product by the public command. */
async function playProduct(seed: number): Promise<WorldReport> {
  const { days, users, pins, variant: kind, config } = values
  const given = { seed: String(seed), days, users, pins, variant: kind }
  const program = [process.execPath, import.meta.filename, '--protocol']
  const options = Object.entries(given).map(([option, value]) => `--${option}=${value}`)
  const command = [...program, ...options].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const output = await runFreshet([
    ...['world', '--json', '--seed', String(seed), '--command', command],
    ...(config === undefined ? [] : ['--config', config]),
  ])
  return JSON.parse(output) as WorldReport
}
