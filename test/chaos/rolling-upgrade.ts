import { createSeededRandom } from '@freshet/adapters/memory/random'
import { pass } from '../harness/eventually.ts'
import type { Load } from '../harness/load.ts'
import { serviceNames, type ServiceName } from '../harness/processes.ts'
import { pairedServices, type ChaosRow } from './row.ts'

/** What the chart waits for after a pod is ready (`common.minReadySeconds`), in short: clients of the pod have connected to it. */
const minReadyMs = 1_000

/** Two checkouts of Freshet, and the order in which services are replaced. */
export interface Upgrade {
  readonly oldFolder: string
  readonly newFolder: string
  /** The same seed replaces the services in the same order. */
  readonly seed: number
  /** Whether feeds may come late, on a machine that does other things too; they must not fail for another reason. */
  readonly patient: boolean
}

/**
 * All services begin as the old version. One process after the other is stopped and started as the new one, service by service in a
 * drawn order, then all go back in another one. Between any two steps the path must work, so old and new run side by side.
 */
export function rollingUpgrade({ oldFolder, newFolder, seed, patient }: Upgrade): ChaosRow {
  const random = createSeededRandom(seed)
  const folders = new Map<ServiceName, string>()
  /** When the first process was replaced: before, the services have not yet read the catalogue. */
  let fromMs = Infinity
  return {
    name: 'rolling-upgrade',
    pairs: pairedServices,
    ...(patient ? {} : { leastAvailable: 1 }),
    folderOf: (name) => folders.get(name) ?? oldFolder,
    async inject({ fleet, load, recovered }) {
      fromMs = Math.min(fromMs, load.now())
      const orders: string[] = []
      for (const folder of [newFolder, oldFolder]) {
        const order = shuffled(serviceNames, () => random.next())
        orders.push(order.join(', '))
        for (const name of order) {
          folders.set(name, folder)
          const second = fleet.seconds.get(name)
          for (const one of second === undefined ? [fleet[name]] : [fleet[name], second]) {
            await one.stop()
            await one.start()
            await recovered()
            await pass(minReadyMs)
          }
        }
      }
      return `every process replaced by the new version (${orders[0]}), then by the old one again (${orders[1]}), one at a time`
    },
    verify: (_world, load) => Promise.resolve(problemsOf(load, fromMs)),
  }
}

/** Answers that no upgrade may cause, whatever the machine. */
function problemsOf(load: Load, fromMs: number): readonly string[] {
  const failed = load.figures(fromMs, Infinity).causes.filter(([cause]) => !cause.startsWith('CALL_DEADLINE_EXCEEDED'))
  return [
    ...(load.serverErrors() === 0 ? [] : [`event-ingest gave ${load.serverErrors()} answers from 500 on`]),
    ...failed.map(([cause, feeds]) => `${feeds} feeds did not come: ${cause}`),
  ]
}

function shuffled<Each>(all: readonly Each[], random: () => number): readonly Each[] {
  return all
    .map((each) => [random(), each] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each)
}
