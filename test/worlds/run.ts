/**
 * A world of users with hidden tastes, alone with reference policies or as the program of `freshet world`:
 *
 *   node test/worlds/run.ts [--seed N] [--days N] [--users N] [--policy random,popular,simple,best]
 *   npx freshet world --command "npx node test/worlds/run.ts --protocol"
 *
 * With `--protocol` it speaks JSON lines on standard input and output; without, it prints a table of the policies.
 */
import { parseArgs } from 'node:util'
import { createPolicy, policyNames } from './policies.ts'
import { createProtocolPlayer } from './program.ts'
import type { WorldReport } from './protocol.ts'
import { defaultWorld, type WorldSettings } from './settings.ts'
import { playWorld } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    days: { type: 'string', default: String(defaultWorld.days) },
    users: { type: 'string', default: String(defaultWorld.users) },
    policy: { type: 'string', default: policyNames.join(',') },
    protocol: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const settings: WorldSettings = {
  ...defaultWorld,
  seed: Number(values.seed),
  days: Number(values.days),
  users: Number(values.users),
}

if (values.protocol) {
  const player = await createProtocolPlayer(process.stdin, process.stdout)
  await playWorld(settings, player)
} else {
  for (const name of values.policy.split(',')) {
    const policy = policyNames.find((known) => known === name)
    if (policy === undefined) throw new Error(`--policy ${name} is not known; there are ${policyNames.join(', ')}`)
    const report = await playWorld(settings, createPolicy(policy, settings.seed))
    console.log(values.json ? JSON.stringify(report) : table(report))
  }
}

function table({ policy, days, shareOfBest, regret, returning }: WorldReport): string {
  return [
    `${policy}: ${shareOfBest.toFixed(3)} of the best value (mean of days 2–${days.length}), regret ${regret.toFixed(0)} saves, ${(returning * 100).toFixed(0)} % of the users came on the last day`,
    '  day   feeds  saves/feed  of best  users  coverage',
    ...days.map(
      (day) =>
        `${String(day.day + 1).padStart(5)}${String(day.feeds).padStart(8)}${day.savesPerFeed.toFixed(3).padStart(12)}${day.shareOfBest.toFixed(3).padStart(9)}${String(day.users).padStart(7)}${day.coverage.toFixed(3).padStart(10)}`,
    ),
  ].join('\n')
}
