import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { oldestNode, packSdk, runProgram, type PackedSdk } from './package.ts'

const root = join(import.meta.dirname, '../..')
/** Gzipped. */
const maxBytes = { 'freshet.js': 5_500, 'freshet-events.js': 5_000 }

let sdk: PackedSdk
/** An app that installed it. */
let project = ''
const posted: { readonly url: string; readonly headers: Record<string, unknown>; readonly body: string }[] = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (bytes: Buffer) => (body += bytes.toString()))
  request.on('end', () => {
    posted.push({ url: request.url!, headers: request.headers, body })
    const { engagements = [{ eventId: 'a merge' }] } = JSON.parse(body) as { engagements?: { eventId: string }[] }
    response.writeHead(202, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ receipts: engagements.map(({ eventId: id }) => ({ id, token: 'e0-1' })) }))
  })
})
let ingestUrl = ''

beforeAll(async () => {
  sdk = await packSdk()
  project = await sdk.project()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  ingestUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  sdk?.remove()
  server.close()
})

const program = (load: string): string => `${load}
const freshet = createFreshet({ ingestUrl: '${ingestUrl}', writeKey: 'fw_1', userId: 'u1', storage: { file: 'queue/events.jsonl' } })
const id = await freshet.save({ pinId: 'p1', feedId: 'f1', position: 0 }, { boardId: 'shoes' })
const { left } = await freshet.flush()
await freshet.close()
console.log(JSON.stringify({ id, left, counts: freshet.counts() }))
`

/** Compiles files of the app, strictly; what the compiler says. */
async function compile(files: readonly string[], options: object): Promise<string> {
  const compilerOptions = {
    ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022' },
    ...{ typeRoots: [join(root, 'node_modules/@types')], ...options },
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const program = join(root, 'node_modules/typescript/bin/tsc')
  return runProgram(process.execPath, [program, '--project', project]).then(
    () => '',
    (error: unknown) => (error as { stdout: string }).stdout,
  )
}

describe('the packed SDK', () => {
  it('holds what it needs and nothing else', async () => {
    const installed = join(project, 'node_modules/@freshet/client')
    const { dependencies, private: isPrivate } = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    ) as Record<string, unknown>
    expect({ dependencies, isPrivate }).toEqual({ dependencies: undefined, isPrivate: undefined })
    expect(readdirSync(installed).sort()).toEqual(['README.md', 'dist', 'package.json'])
    expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@freshet'])
    for (const [name, bytes] of Object.entries(maxBytes)) {
      const page = readFileSync(join(installed, 'dist', name))
      expect(page.toString()).not.toMatch(/\bprocess\b|\brequire\(|\bBuffer\b|node:|\bimport\b/)
      expect(gzipSync(page, { level: 9 }).length).toBeLessThanOrEqual(bytes)
    }
  })

  it.each([
    ['an ES module', 'app.mjs', "import { createFreshet } from '@freshet/client'"],
    [
      'CommonJS',
      'app.cjs',
      "const { createFreshet } = require('@freshet/client'); main().catch((error) => { throw error })\nasync function main() {",
    ],
  ])('runs in a plain project of the oldest Node as %s', async (_, file, load) => {
    const text = program(load)
    writeFileSync(join(project, file), file.endsWith('.cjs') ? `${text}}` : text)
    const { path, version } = await oldestNode()
    console.log(`Node ${version}`)
    posted.length = 0
    const { stdout } = await runProgram(path, [file], { cwd: project })
    const { id, left, counts } = JSON.parse(stdout) as Record<string, unknown>
    expect({ left, counts }).toMatchObject({ left: 0, counts: { rejected: 0, dropped: {} } })
    const sent = posted.find(({ url }) => url === '/v1/engagements')!
    expect(sent.headers).toMatchObject({ 'freshet-key': 'fw_1' })
    expect((JSON.parse(sent.body) as { engagements: unknown[] }).engagements).toMatchObject([
      { eventId: id, userId: 'u1', action: 'save', pinId: 'p1', boardId: 'shoes', feedId: 'f1', position: 0 },
    ])
  })

  it.each(['nodenext', 'bundler'])(
    'has types that %s resolution finds, and that refuse mistakes',
    async (resolution) => {
      writeFileSync(join(project, 'good.mts'), goodTypes(resolution === 'nodenext'))
      writeFileSync(
        join(project, 'bad.mts'),
        `import { createFreshet } from '@freshet/client'; import { createFreshet as createTracker } from '@freshet/client/events'
const freshet = createFreshet({ ingestUrl: 'x' })
void freshet.save('p', { feedid: 'f' })
void freshet.follow('ann')
void freshet.block({ pinId: 'p' })
createFreshet({})
createTracker({ ingestUrl: 'x' }).feed()
`,
      )
      const [module, lib, types] =
        resolution === 'nodenext' ? ['nodenext', ['es2024'], ['node']] : ['esnext', ['es2024', 'dom'], []]
      const said = await compile(['good.mts', 'bad.mts'], { module, moduleResolution: resolution, lib, types })
      const errors = said.split('\n').filter((line) => line.includes('error TS'))
      expect(errors.map((line) => /bad\.mts\((\d+),/.exec(line)?.[1] ?? line)).toEqual(['3', '4', '5', '6', '7'])
    },
  )

  it('has types that the React example compiles with', async () => {
    writeFileSync(
      join(project, 'react.tsx'),
      readFileSync(join(root, 'libs/client/examples/react.tsx')).toString() +
        '\n// @ts-expect-error a pin has no such field\nvoid freshet.save({ pinID: "p" })\n',
    )
    const dom = { lib: ['es2024', 'dom'], types: [], jsx: 'react-jsx' }
    const paths = { react: ['node_modules/@types/react'], 'react/*': ['node_modules/@types/react/*'] }
    const options = { ...dom, module: 'esnext', moduleResolution: 'bundler', baseUrl: root, paths }
    expect(await compile(['react.tsx'], options)).toBe('')
  })

  it('is bundled for a page by Vite, in its version for pages', async () => {
    writeFileSync(join(project, 'index.html'), '<script type="module" src="/main.js"></script>')
    writeFileSync(
      join(project, 'main.js'),
      `import { createFreshet } from '@freshet/client'\ncreateFreshet({ ingestUrl: '${ingestUrl}' }).save('p1')\n`,
    )
    const { build } = await import('vite')
    await build({ root: project, logLevel: 'error', configFile: false })
    const [name] = readdirSync(join(project, 'dist/assets'))
    const code = readFileSync(join(project, 'dist/assets', name!), 'utf8')
    expect(code).toContain('indexedDB')
    expect(code).not.toMatch(/node:fs|appendFile/)
  })
})

const goodTypes = (isNode: boolean): string => `import { createFreshet, type Feed } from '@freshet/client'
import { createFreshet as createTracker, type Tracker } from '@freshet/client/events'
const freshet = createFreshet({
  ingestUrl: 'x', feedUrl: 'y', writeKey: 'fw_1', readToken: async () => 't', consent: 'required',
  storage: ${isNode ? "{ file: 'f' }" : "'indexeddb'"},
  onRejected: ({ event, problem }) => void [event.eventId, problem.code],
  onDropped: ({ event, reason }) => void [event.eventId, reason === 'queue full'],
})
const feed: Feed = await freshet.feed({ pageSize: 5, filter: { topicIds: ['tea'] } })
for (const item of feed.items) { const id: string = await freshet.save(item, { boardId: 'b' }); id.length }
await freshet.follow({ creatorId: 'ann' })
await freshet.block({ word: 'spiders' })
freshet.observe({}, feed.items[0]!)()
await freshet.identify('u')
const tracker: Tracker = createTracker({ ingestUrl: 'x', consent: 'required' })
await tracker.save('p')
const counts: number = freshet.counts().dropped['queue full'] ?? 0
export { counts }
`
