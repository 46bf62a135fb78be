import { beforeAll, describe, expect, it } from 'vitest'
import { buildImage, docker, engineProblem, filesOf, imageNames, tagOf, type ImageFile } from '../harness/images.ts'

const problem = engineProblem()
if (problem !== null && process.env['FRESHET_EXPECT_CONTAINERS'] === '1')
  throw new Error(`no Docker engine: ${problem}`)

/** MB of 10⁶ bytes that an image may have. */
const maxMegabytes = 200
const epoch = 1_700_000_000

interface Inspected {
  readonly Size: number
  readonly Config: {
    readonly User: string
    readonly Cmd: readonly string[]
    readonly Entrypoint: readonly string[] | null
    readonly Labels: Readonly<Record<string, string>>
    readonly Healthcheck?: { readonly Test: readonly string[] }
  }
}

const list = '/srv/freshet/sbom.cdx.json'

const softwareListOf = (tag: string, path: string): Promise<string> =>
  docker(['run', '--rm', '--network', 'none', tag, 'node', '-p', `fs.readFileSync('${path}', 'utf8')`])

const run = (tag: string, ...given: readonly string[]): Promise<string> =>
  docker(['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--network', 'none', tag, ...given])

if (problem !== null) {
  describe.skip(`images of deploy/docker (skipped: no Docker engine, ${problem})`, () => {
    it.todo('needs a Docker engine')
  })
} else {
  describe('images of deploy/docker', () => {
    const inspected = new Map<string, Inspected>()

    beforeAll(async () => {
      for (const name of imageNames) {
        await buildImage(name)
        inspected.set(name, (JSON.parse(await docker(['image', 'inspect', tagOf(name)])) as [Inspected])[0])
      }
      const sizes = [...inspected].map(([name, { Size }]) => `${name} ${(Size / 1e6).toFixed(0)}`)
      console.log(`MB of the images: ${sizes.join(', ')}`)
    }, 900_000)

    it.each(imageNames)('%s is small, runs as nobody special, and says what it is', (name) => {
      const { Size, Config } = inspected.get(name)!
      expect(Size / 1e6).toBeLessThan(maxMegabytes)
      expect(Config.User).toBe('1000:1000')
      expect(Config.Entrypoint).toBeNull()
      expect(Config.Cmd[0]).toBe('node')
      expect(Config.Healthcheck?.Test).toEqual(['CMD', 'node', 'healthcheck.js'])
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.title': `freshet/${name}`,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      })
      for (const label of ['version', 'revision', 'source', 'base.name'])
        expect(Config.Labels).toHaveProperty([`org.opencontainers.image.${label}`])
    })

    it('have the programs node and nothing else: no shell, no package manager', async () => {
      for (const name of imageNames) {
        const programs = (await filesOf(tagOf(name))).filter(
          ({ kind, mode, path }) =>
            kind !== 'folder' && !path.startsWith('/srv/') && /[1357]/.test(mode) && !/\.so[.\d]*$/.test(path),
        )
        const paths = programs.map(({ path }) => path).filter((path) => !/^\/lib(64)?$/.test(path))
        expect(paths, name).toEqual(['/usr/local/bin/node'])
      }
    })

    it('belong to root, and only /tmp and the folder for data can be written', async () => {
      const files = await filesOf(tagOf('blender'))
      expect(files.filter(({ owner }) => owner !== '0:0')).toEqual([])
      const writable = files.filter(({ kind, mode }) => kind !== 'link' && /[2367]$/.test(mode))
      expect(writable.map(({ path, mode }) => [path, mode])).toEqual([
        ['/tmp', '1777'],
        ['/var/lib/freshet', '1777'],
      ])
    })

    it('keep sources and packages without what no service loads', async () => {
      const files = await filesOf(tagOf('freshet'))
      const below = files.filter(({ path }) => path.startsWith('/srv/freshet/'))
      expect(
        below.filter(({ path }) => /\.(test|suite|fixture)\.ts$|\.map$|\.d\.ts$|\.musl\.node$/.test(path)),
      ).toEqual([])
      expect(below.filter(({ path }) => /node_modules\/.*\.ts$|tfjs-node\//.test(path))).toEqual([])
      expect(below.some(({ path }) => path.endsWith('/libs/pictures'))).toBe(false)
      // Licences must travel with what they cover.
      expect(below.filter(({ path }) => /node_modules\/.*\/licen[cs]e/i.test(path)).length).toBeGreaterThan(100)
    })

    it.each(['ranker', 'freshet'] as const)('%s lists exactly the packages that it holds', async (name) => {
      const list = JSON.parse(await run(tagOf(name), 'node', '-p', "fs.readFileSync('sbom.cdx.json', 'utf8')")) as {
        readonly bomFormat: string
        readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[]
      }
      expect(list.bomFormat).toBe('CycloneDX')
      const read =
        'console.log(JSON.stringify(process.argv.slice(1).map((path) => { const { name, version } = JSON.parse(fs.readFileSync(path)); return name + "@" + version })))'
      const installed = (await filesOf(tagOf(name), '/srv/freshet')).filter(({ path }) =>
        /\/node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path),
      )
      const names = JSON.parse(
        await run(tagOf(name), 'node', '-e', read, ...installed.map(({ path }) => path)),
      ) as string[]
      const listed = list.components
        .filter(({ purl }) => purl.startsWith('pkg:npm/') && !purl.includes('%40freshet/'))
        .map(({ purl }) => decodeURIComponent(purl.slice('pkg:npm/'.length)))
      expect([...new Set(names)].sort()).toEqual([...new Set(listed)].sort())
      expect(list.components.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['node', 'libc6', 'libstdc++6', 'libgcc-s1']),
      )
    })

    it('say why a service does not start, on a file system that cannot be written', async () => {
      await expect(run(tagOf('ranker'))).rejects.toThrow(/CONFIG_INVALID[\s\S]*set FRESHET_KAFKA_BROKERS/)
    })

    it('answer the health check with what the operations port says', async () => {
      const id = (
        await docker([
          'run',
          '-d',
          '--read-only',
          '--tmpfs',
          '/tmp',
          '-e',
          'FRESHET_ACCESS_OPEN=true',
          '-e',
          'FRESHET_KAFKA_BROKERS=127.0.0.1:1',
          tagOf('ranker'),
        ])
      ).trim()
      try {
        const ask = (...given: string[]) => docker(['exec', id, 'node', 'healthcheck.js', ...given])
        await expect.poll(() => ask().then(() => 'alive', String), { timeout: 30_000, interval: 250 }).toBe('alive')
        // It has no Kafka.
        await expect(ask('/readyz')).rejects.toThrow(/\/readyz answered 503/)
        await expect(ask('/nothing')).rejects.toThrow(/answered 404/)
      } finally {
        await docker(['rm', '-f', id])
      }
    })

    it(
      'are the same files when they are built again, with the times that the build was given',
      { timeout: 600_000 },
      async () => {
        const tag = 'freshet-test/again:latest'
        // The stage that holds both layers of an app; the layer of the system comes from files of the base image alone.
        const more = [
          '--target',
          'sources',
          '--build-arg',
          'REBUILD=again',
          '--build-arg',
          `SOURCE_DATE_EPOCH=${epoch}`,
        ]
        await buildImage('event-ingest', more, tag)
        const again = [...(await filesOf(tag, '/image')), ...(await filesOf(tag, '/code'))]
        const listedAgain = await softwareListOf(tag, '/image/srv/freshet/sbom.cdx.json')
        await docker(['image', 'rm', tag])
        const first = await filesOf(tagOf('event-ingest'), '/srv')
        expect(new Set(again.map(({ mtime }) => mtime))).toEqual(new Set([epoch]))
        expect(new Set(first.map(({ mtime }) => mtime))).toEqual(new Set([0]))
        // Both layers have the folders above.
        const byPath = (files: readonly ImageFile[]): Record<string, unknown> =>
          Object.fromEntries(files.map(({ mtime: _, path, ...file }) => [path.replace(/^\/(image|code)/, ''), file]))
        const { '/srv': _, ...rebuilt } = byPath(again)
        expect(Object.keys(rebuilt).length).toBeGreaterThan(1_000)
        // The list of what is inside names the time of the build.
        const { [list]: _again, ...files } = rebuilt
        const { [list]: _first, ...filesBefore } = byPath(first)
        expect(files).toEqual(filesBefore)
        const listed = await softwareListOf(tagOf('event-ingest'), list)
        expect(listedAgain).toEqual(listed.replace('1970-01-01T00:00:00.000Z', new Date(1000 * epoch).toISOString()))
        expect(listedAgain).not.toEqual(listed)
      },
    )
  })
}
