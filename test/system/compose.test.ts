import { join } from 'node:path'
import { createFreshet } from '@freshet/client/node'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { buildImage, composeProblem, docker, imageNames } from '../harness/images.ts'
import { freePorts } from '../harness/ports.ts'

const file = join(import.meta.dirname, '../../deploy/local/compose.yaml')
const problem = composeProblem()
if (problem !== null && process.env['FRESHET_EXPECT_CONTAINERS'] === '1')
  throw new Error(`no Docker Compose: ${problem}`)

const pins = 60
const pinIds = Array.from({ length: pins }, (_, pin) => `pin${pin}`)

if (problem !== null) {
  describe.skip(`deploy/local/compose.yaml (skipped: ${problem})`, () => {
    it.todo('needs Docker Compose')
  })
} else {
  describe('deploy/local/compose.yaml', () => {
    const project = `freshet-test-${process.pid}`
    let environment: Record<string, string> = {}
    const compose = (...given: readonly string[]): Promise<string> =>
      docker(['compose', '-p', project, '-f', file, '--progress', 'quiet', ...given], environment)
    let [ingestUrl, adminUrl, feedUrl] = ['', '', '']

    /** The services and what Docker says of each. */
    const states = async (): Promise<ReadonlyMap<string, string>> => {
      const lines = (await compose('ps', '--all', '--format', 'json')).trim().split('\n')
      const rows = lines.flatMap(
        (line) => JSON.parse(line) as { Service: string; State: string; Health: string; ExitCode: number },
      )
      return new Map(rows.map(({ Service, State, Health, ExitCode }) => [Service, Health || `${State} ${ExitCode}`]))
    }
    const healthy = (deadlineMs: number): Promise<ReadonlyMap<string, string>> =>
      eventually(
        'all services healthy',
        async () => {
          const all = await states()
          return [...all.values()].every((state) => state === 'healthy' || state === 'exited 0') ? all : null
        },
        deadlineMs,
        500,
      ).catch(async (error: unknown) => {
        throw new Error(`${(error as Error).message}: ${JSON.stringify([...(await states())])}`)
      })

    beforeAll(async () => {
      for (const name of imageNames) await buildImage(name)
      const [ingest, admin, feed, grpc] = await freePorts(4)
      ;[ingestUrl, adminUrl, feedUrl] = [ingest, admin, feed].map((port) => `http://127.0.0.1:${port}`) as [
        string,
        string,
        string,
      ]
      environment = {
        FRESHET_IMAGES: 'freshet-test',
        FRESHET_VERSION: 'latest',
        FRESHET_INGEST_PORT: String(ingest),
        FRESHET_ADMIN_PORT: String(admin),
        FRESHET_FEED_PORT: String(feed),
        FRESHET_FEED_GRPC_PORT: String(grpc),
      }
      await compose('up', '--detach', '--no-build')
    }, 900_000)
    afterAll(async () => {
      await compose('down', '--volumes', '--timeout', '5')
      const left = await docker(['volume', 'ls', '-q', '--filter', `label=com.docker.compose.project=${project}`])
      expect(left).toBe('')
    }, 120_000)

    it(
      'runs closed, and loses nothing that it accepted when a broker, the updater and the blender are killed',
      { timeout: 400_000 },
      async () => {
        onTestFailed(async () => console.log((await compose('logs', '--no-color', '--tail', '15')).slice(-12_000)))
        const all = await healthy(180_000)
        expect([...all.keys()].sort()).toEqual(
          [
            'kafka-1',
            'kafka-2',
            'kafka-3',
            'redis',
            'keys',
            'topics',
            ...imageNames.filter((name) => name !== 'freshet'),
          ].sort(),
        )

        const key = async (...given: string[]): Promise<string> =>
          (await compose('run', '--rm', 'keys', ...given)).trim()
        const [writeKey, adminKey, readToken] = [await key('write'), await key('admin'), await key('token', 'ada')]
        expect([writeKey.slice(0, 3), adminKey.slice(0, 3)]).toEqual(['fw_', 'fa_'])
        const json = { 'content-type': 'application/json' }
        const body = JSON.stringify({
          pins: pinIds.map((pinId, i) => ({ pinId, creatorId: `creator${i % 7}`, topics: [`topic${i % 5}`] })),
        })
        expect((await fetch(`${adminUrl}/v1/pins`, { method: 'POST', headers: json, body })).status).toBe(401)
        expect((await fetch(`${ingestUrl}/v1/engagements`, { method: 'POST', headers: json, body: '{}' })).status).toBe(
          401,
        )
        expect((await fetch(`${feedUrl}/v1/feed?userId=ada`)).status).toBe(401)
        const admin = { ...json, 'freshet-key': adminKey }
        expect((await fetch(`${adminUrl}/v1/pins`, { method: 'POST', headers: admin, body })).status).toBe(202)

        /** A feed that nobody was served, with all pins that ada may see. */
        const preview = async (
          after: string | null,
        ): Promise<{ readonly pinIds: readonly string[]; readonly freshness: string }> => {
          const answer = await fetch(
            `${feedUrl}/v1/feed?userId=ada&pageSize=${pins}${after === null ? '' : `&after=${after}`}`,
            {
              headers: { authorization: `Bearer ${readToken}` },
              signal: AbortSignal.timeout(5_000),
            },
          ).catch(() => null)
          if (answer?.status !== 200) return { pinIds: [], freshness: 'none' }
          const { items, freshness } = (await answer.json()) as { items: { pinId: string }[]; freshness: string }
          return { pinIds: items.map(({ pinId }) => pinId), freshness }
        }
        const shows = (what: string, expected: readonly string[], deadlineMs: number): Promise<unknown> => {
          let last: readonly string[] = []
          return eventually(
            what,
            async () => {
              const after = sdk.tokenOf('ada')
              const feed = await preview(after)
              last = [...feed.pinIds].sort()
              const current = after === null || feed.freshness === 'FRESHNESS_CURRENT'
              return current && JSON.stringify(last) === JSON.stringify([...expected].sort()) ? feed : null
            },
            deadlineMs,
            200,
          ).catch((error: unknown) => {
            const missing = expected.filter((pinId) => !last.includes(pinId))
            const wrong = last.filter((pinId) => !expected.includes(pinId))
            throw new Error(
              `${(error as Error).message}; missing ${missing.join(' ')}; shown though hidden: ${wrong.join(' ')}`,
            )
          })
        }
        const sdk = createFreshet({ ingestUrl, writeKey })
        await shows('a feed of all pins', pinIds, 60_000)

        // The reader hides pins while a broker and two services die and come back.
        const hidden = pinIds.slice(0, 40)
        const hide = async (from: number, to: number): Promise<void> => {
          for (const pinId of hidden.slice(from, to)) {
            void sdk.track({ userId: 'ada', action: 'hide', pinId })
            await sdk.flush()
          }
        }
        await hide(0, 10)
        await shows('a feed without the first hidden pins', pinIds.slice(10), 30_000)
        await compose('kill', 'kafka-2')
        await hide(10, 20)
        await compose('kill', 'feature-updater', 'blender')
        await hide(20, 30)
        await compose('start', 'feature-updater', 'blender')
        await hide(30, 40)
        await shows('a feed without any hidden pin, with two brokers', pinIds.slice(40), 90_000)
        await compose('start', 'kafka-2')
        await sdk.close()
        await healthy(120_000)
      },
    )

    it('gives no container rights that it does not need', async () => {
      const ids = (await compose('ps', '--quiet')).trim().split('\n')
      const containers = JSON.parse(await docker(['inspect', ...ids])) as {
        readonly Name: string
        readonly HostConfig: {
          ReadonlyRootfs: boolean
          CapDrop: string[]
          SecurityOpt: string[]
          Memory: number
          PortBindings: Record<string, { HostIp: string }[]>
        }
        readonly Config: { User: string }
      }[]
      expect(containers.length).toBe(10)
      for (const { Name, HostConfig, Config } of containers) {
        expect(HostConfig.CapDrop, Name).toEqual(['ALL'])
        expect(HostConfig.SecurityOpt, Name).toContain('no-new-privileges:true')
        expect(HostConfig.Memory, Name).toBeGreaterThan(0)
        expect(Config.User, Name).not.toMatch(/^(|0|root)(:|$)/)
        // A broker writes its configuration into its own image.
        expect(HostConfig.ReadonlyRootfs, Name).toBe(!Name.includes('kafka'))
        for (const { HostIp } of Object.values(HostConfig.PortBindings).flat()) expect(HostIp, Name).toBe('127.0.0.1')
      }
    })
  })
}
