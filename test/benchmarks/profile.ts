/**
 * `npm run profile`: CPU profiles of each service while feeds are asked for, and a table of where the time goes.
 *
 *   node test/benchmarks/profile.ts [--processes one|five] [--world TEXT] [--seconds N] [--out FOLDER]
 *
 * --world takes the worlds whose name holds TEXT: `invented`, `MovieTweetings`, `DIGINETICA`. Five processes need Kafka and
 * Redis, as in `npm run bench`.
 */
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { openCluster } from '../harness/cluster.ts'
import { deployFleet, deployOneProcess } from './deployments.ts'
import { askInTurn } from './feed-load.ts'
import { feedWorlds } from './feed-worlds.ts'
import { cpuTable } from './profile-feeds.ts'

const values = readArguments(
  'npm run profile --',
  {
    processes: { type: 'string', default: 'one' },
    world: { type: 'string', default: 'invented' },
    seconds: { type: 'string', default: '15' },
    out: { type: 'string', default: 'node_modules/.cache/freshet/profiles' },
  },
  { processes: 'one|five', world: 'TEXT', seconds: 'N', out: 'FOLDER' },
)
const { processes, out } = values
const ms = 1000 * Number(values.seconds)
if (processes !== 'one' && processes !== 'five') refuseArguments(`--processes is ${processes}; give one or five`)
if (!(ms > 0)) refuseArguments(`--seconds is ${values.seconds}; give a number above 0`)
const all = await feedWorlds(false, console.log)
const worlds = all.filter(({ name }) => name.toLowerCase().includes(values.world.toLowerCase()))
if (worlds.length === 0)
  refuseArguments(`no world is called ${values.world}; there are ${all.map(({ name }) => name).join(', ')}`)
const cluster = processes === 'one' ? null : await openCluster()
if (cluster !== null && 'absent' in cluster) throw new Error(cluster.absent)

for (const world of worlds) {
  const deployment = cluster === null ? await deployOneProcess() : await deployFleet(cluster)
  try {
    console.log(`${deployment.name}, ${world.name}: filling`)
    await deployment.fill(world.records)
    const server = { address: deployment.feedAddress, cpuMs: deployment.cpuMs }
    await askInTurn(server, world.userIds, { concurrency: 8, ms: 8_000 })
    const folder = `${out}/${world.name.replaceAll(' ', '-')}`
    console.log(`${await cpuTable(deployment, world, ms, folder)}\nprofiles in ${folder}`)
  } finally {
    await deployment.stop()
  }
}
await cluster?.stop()
