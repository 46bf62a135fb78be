import { join } from 'node:path'
import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { createFreshet } from '@freshet/client/node'
import { Freshness, GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { afterAll, describe, expect, it } from 'vitest'
import { openCluster } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { postPins } from '../harness/load.ts'
import { freePorts } from '../harness/ports.ts'
import { serviceNames, type ServiceName } from '../harness/processes.ts'

const root = join(import.meta.dirname, '../..')
const cluster = await openCluster()
const engine = await getContainerRuntimeClient().then(
  () => null,
  (error: unknown) => (error as Error).message,
)
if (engine !== null && process.env['FRESHET_EXPECT_CONTAINERS'] === '1') throw new Error(`no Docker engine: ${engine}`)

if ('absent' in cluster || engine !== null) {
  const why = 'absent' in cluster ? cluster.absent : `no Docker engine (${engine})`
  describe.skip(`images of the services (skipped: ${why})`, () => {
    it.todo('needs a Docker engine')
  })
} else {
  const running = new Map<ServiceName, StartedTestContainer>()
  afterAll(async () => {
    await Promise.all([...running.values()].map((container) => container.stop({ timeout: 10_000 })))
    await cluster.stop()
  })

  describe('images of deploy/docker', () => {
    it('run as services: an event changes the feed, and SIGTERM ends each', { timeout: 600_000 }, async () => {
      const world = await cluster.fresh()
      const images = new Map<ServiceName, GenericContainer>()
      const buildMs: string[] = []
      for (const name of serviceNames) {
        const from = performance.now()
        // The first build downloads the packages of all; each installs its own.
        const image = await GenericContainer.fromDockerfile(root, 'deploy/docker/Dockerfile')
          .withBuildArgs({ APP: name })
          .build(`freshet-test/${name}:latest`, { deleteOnExit: false })
        images.set(name, image)
        buildMs.push(`${name} ${((performance.now() - from) / 1000).toFixed(1)} s`)
      }
      console.log(`images built: ${buildMs.join(', ')}`)
      const docker = (await getContainerRuntimeClient()).container.dockerode
      for (const name of serviceNames) {
        const { Size } = await docker.getImage(`freshet-test/${name}:latest`).inspect()
        expect(Size / 1e6, `MB of ${name}`).toBeLessThan(name === 'ranker' ? 380 : 330)
      }

      const ports = await freePorts(11)
      const grpcOf = new Map(serviceNames.map((name, i) => [name, ports[i]!]))
      const operationsOf = new Map(serviceNames.map((name, i) => [name, ports[5 + i]!]))
      const [ingestPort = 0] = await freePorts(1)
      const redis = { FRESHET_REDIS_URL: world.redisUrl, FRESHET_REDIS_KEY_PREFIX: world.keyPrefix }
      const own: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
        'event-ingest': { FRESHET_HTTP_PORT: String(ingestPort) },
        'feature-updater': redis,
        'candidate-service': {},
        ranker: { FRESHET_RANKING_BACKEND: 'wasm' },
        blender: {
          ...redis,
          FRESHET_HTTP_PORT: String(ports[10]),
          FRESHET_CANDIDATE_SERVICE_ADDRESS: `127.0.0.1:${grpcOf.get('candidate-service')}`,
          FRESHET_RANKER_ADDRESS: `127.0.0.1:${grpcOf.get('ranker')}`,
        },
      }
      await Promise.all(
        serviceNames.map(async (name) => {
          const container = await images
            .get(name)!
            .withNetworkMode('host')
            .withEnvironment({
              FRESHET_KAFKA_BROKERS: world.brokers.join(','),
              FRESHET_OPERATIONS_PORT: String(operationsOf.get(name)),
              // The images listen on all addresses, and the services have no keys here.
              FRESHET_ACCESS_OPEN: 'true',
              ...(name === 'feature-updater' ? {} : { FRESHET_GRPC_PORT: String(grpcOf.get(name)) }),
              ...own[name],
            })
            .start()
          running.set(name, container)
        }),
      )
      for (const name of serviceNames) {
        const url = `http://127.0.0.1:${operationsOf.get(name)}/readyz`
        let last = ''
        await eventually(
          `${name} ready`,
          async () => {
            const answer = await fetch(url).catch(() => null)
            last = (await answer?.text()) ?? 'no answer'
            return answer?.status === 200 ? true : null
          },
          60_000,
          100,
        ).catch(async (error: unknown) => {
          throw new Error(`${(error as Error).message}: ${last}\n${await logsOf(running.get(name)!)}`)
        })
      }

      const ingestUrl = `http://127.0.0.1:${ingestPort}`
      await postPins(ingestUrl, 40)
      const sdk = createFreshet({ ingestUrl })
      for (let pin = 0; pin < 40; pin++)
        void sdk.track({ userId: `crowd${pin % 7}`, action: 'click', pinId: `pin${pin}` })
      await sdk.flush()
      const blender = createBlenderClient({ address: `127.0.0.1:${grpcOf.get('blender')}` })
      const ask = async (after: readonly string[]) => {
        const evaluation = { dryRun: true }
        const request = GetFeedRequest.fromPartial({ userId: 'reader', pageSize: 10, after: [...after], evaluation })
        const feed = await blender.getFeed(request, { timeoutMs: 5_000 })
        return { pinIds: feed.items.map(({ pinId }) => pinId), freshness: feed.freshness }
      }
      const before = await eventually(
        'a full page',
        async () => {
          const feed = await ask([])
          return feed.pinIds.length === 10 ? feed : null
        },
        30_000,
      )
      void sdk.track({ userId: 'reader', action: 'hide', pinId: before.pinIds[0]! })
      await sdk.flush()
      // A busy machine may not fold within the stage's budget; the next question finds it folded.
      const after = await eventually(
        'a feed that is current',
        async () => {
          const feed = await ask([sdk.tokenOf('reader')!])
          return feed.freshness === Freshness.CURRENT ? feed : null
        },
        30_000,
      )
      expect(after.pinIds).toHaveLength(10)
      expect(after.pinIds).not.toContain(before.pinIds[0])
      await sdk.close()
      blender.close()

      const { container } = await getContainerRuntimeClient()
      for (const [name, started] of running) {
        const handle = container.getById(started.getId())
        await container.stop(handle, { timeout: 20_000 })
        const { State } = await container.inspect(handle)
        expect({ name, exitCode: State.ExitCode }).toEqual({ name, exitCode: 0 })
      }
      await world.close()
    })
  })
}

async function logsOf(container: StartedTestContainer): Promise<string> {
  const stream = await container.logs()
  const lines: string[] = []
  stream.on('data', (line) => lines.push(String(line)))
  await eventually('logs', () => (lines.length > 0 ? true : null), 3_000).catch(() => undefined)
  return lines.slice(-30).join('\n')
}
