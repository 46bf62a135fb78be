import { CodedError } from '@freshet/domain/coded-error'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { runService } from './lifecycle.ts'
import { serviceSettings } from './settings.ts'

const behaviours = ['normal', 'slow-drain', 'stuck', 'data-in-use', 'throws-later', 'rejects-later'] as const

/** A service that lifecycle.test.ts runs as a process. It misbehaves as its settings tell it to. */
await runService({
  name: 'test-program',
  description: 'shows the lifecycle of a process',
  schema: z.object({
    ...serviceSettings(9464),
    behaviour: z.enum(behaviours).default('normal').meta({ description: 'What to do' }),
    token: z.string().default('abc').meta({ description: 'A secret', secret: true }),
  }),
  async start({ config, use }) {
    const { behaviour } = config
    if (behaviour === 'data-in-use') {
      const kind = { fault: 'client', retryable: false, meaning: 'Another process uses the data folder.' } as const
      throw new CodedError('STORE_IN_USE', kind, 'the data folder is in use')
    }
    const alive = setInterval(() => undefined, 60_000)
    use({
      name: 'part',
      async drain() {
        if (behaviour === 'slow-drain') await sleep(300)
        if (behaviour === 'stuck') await new Promise(() => undefined)
        process.stdout.write('drained\n')
      },
      async close() {
        clearInterval(alive)
        process.stdout.write('closed\n')
      },
    })
    if (behaviour === 'throws-later') {
      setTimeout(() => {
        throw new Error('a defect')
      }, 10)
    }
    if (behaviour === 'rejects-later') void Promise.reject(new Error('a defect'))
  },
})
