import { hostname } from 'node:os'
import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { redisOptions } from '@freshet/adapters/redis/connect'
import { watchEviction } from '@freshet/adapters/redis/eviction-watch'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { tracedLog } from '@freshet/adapters/tracing/traced-log'
import { writingAs } from '@freshet/contracts/origin'
import { exportInspection } from '@freshet/contracts/inspection/export-user'
import { pinInspection, progressInspection, storedPinState, userInspection } from '@freshet/contracts/inspection/routes'
import { runService } from '@freshet/service/lifecycle'
import { processSchema, removedSettings } from './config.ts'
import { storedBoardTitles } from './board-titles.ts'
import { createCatalogueKeeper } from './catalogue-keeper.ts'
import { instanceName } from './instance-name.ts'
import { observeStoreMemory, updaterInstruments, watchUpdater } from './observe.ts'
import { createUpdater } from './updater.ts'

await runService({
  name: 'feature-updater',
  description: 'Folds engagements into user state and, re-keyed, into pin state: each exactly once.',
  schema: processSchema,
  removed: removedSettings,
  async start({ name, version, config, metrics, report, tracing, use, inspect }) {
    const clock = createSystemClock()
    const groupInstance = instanceName(config.updater.instance, { hostname: hostname(), env: process.env })
    const kafka = createKafkaEventLog({ ...kafkaOptions(config.kafka), clientId: name, clock, groupInstance })
    const log = tracedLog(writingAs(kafka, name, version), tracing, { service: name, clock })
    use({ name: 'log', close: () => log.close() })
    const store = createRedisStateStore(redisOptions(config.redis))
    use({ name: 'store', close: () => store.close() })
    const eviction = watchEviction(store, { clock })
    await eviction.look()
    observeStoreMemory(store, metrics)
    const watching = new AbortController()
    void eviction.run(watching.signal, (error) => report(error, { part: 'eviction' }))
    const updater = createUpdater({
      log,
      store,
      clock,
      config,
      ...updaterInstruments(metrics, clock),
      onError: (error, at) => report(error, { part: 'updater', ...at }),
    })
    use({ name: 'updater', notReady: () => eviction.problem() ?? updater.notReady(), drain: updater.stop })
    use({ name: 'eviction', drain: async () => watching.abort() })
    inspect(
      userInspection({ log, store, clock, titlesOf: storedBoardTitles({ log, store }) }),
      exportInspection({ log, store, clock }),
      pinInspection({ clock, stateOf: storedPinState({ log, store }) }),
      progressInspection({ log, store }),
    )
    const stale = metrics.counter('freshet_updater_stale_pins_total')
    const catalogue = createCatalogueKeeper({
      log,
      store,
      ownedBoards: updater.ownedBoards,
      ...config.updater,
      onStale: (count) => stale.inc({}, count),
      onError: (error, at) => report(error, { part: 'catalogue', ...at }),
    })
    use({ name: 'catalogue', drain: catalogue.stop })
    await updater.start()
    await catalogue.start()
    use(watchUpdater(updater, { clock, config, metrics }))
  },
})
