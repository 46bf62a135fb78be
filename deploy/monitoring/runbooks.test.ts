import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig } from '@freshet/service/setting-rows'
import { metricCatalogue } from '@freshet/service/metric-catalogue'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { commandsOf } from '../../test/harness/readme-commands.ts'
import { dashboards } from './dashboards/all.ts'
import { alerts } from './rules.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(import.meta.dirname, 'runbooks')
const runbooks = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const)
const services = ['event-ingest', 'feature-updater', 'candidate-service', 'ranker', 'trainer', 'blender']

/** The dotted paths of the settings of all services. */
async function settingPaths(): Promise<ReadonlySet<string>> {
  const all = await Promise.all(
    services.map(async (app) => {
      const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', app, 'src/config.ts'))) as {
        processSchema: z.ZodObject
      }
      return describeConfig(processSchema).map(({ path }) => path)
    }),
  )
  return new Set(all.flat())
}

/** Inline code and lines of blocks. */
function codeOf(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)
}

describe.each(runbooks)('the runbook %s', (file, text) => {
  it('says what it means, what users see, how to look, how to mend and how to be sure', () => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'What it means',
      'What users see',
      'How to look',
      'How to mend',
      'How to be sure',
    ])
    for (const part of text.split(/^## .+$/m)) expect(part.trim().length).toBeGreaterThan(10)
  })

  it('is the runbook of an alert', () => {
    expect(alerts.map(({ runbook }) => `${runbook}.md`)).toContain(file)
  })

  it('asks only operations servers for paths that they have, and greps metrics that exist', () => {
    const asked = commandsOf(text, 'curl ').flatMap((command) => [...command.matchAll(/localhost:9464(\/[\w/]+)/g)])
    const paths = ['/readyz', '/livez', '/metrics', '/configz', '/v1/progress', '/v1/pins/PIN']
    expect(asked.map(([, path]) => path!).filter((path) => !paths.includes(path))).toEqual([])
    // Everything but health and metrics needs a key.
    const closed = commandsOf(text, 'curl ').filter((command) => /9464\/(v1|configz)/.test(command))
    expect(closed.filter((command) => !command.includes('freshet-key: ADMIN_KEY'))).toEqual([])
    const named = [...text.matchAll(/\bfreshet_[a-z_]+[a-z]/g)].map(([name]) => name)
    const families = named.filter((name) => !Object.keys(metricCatalogue).some((metric) => metric.startsWith(name)))
    expect(families).toEqual([])
  })

  it('reads all lines of a log, and runs only the program that the images have', () => {
    // With a selector, kubectl shows the last ten lines of each pod without `--tail`.
    const logs = commandsOf(text, 'kubectl logs ').filter((command) => command.includes('--selector'))
    expect(logs.filter((command) => !command.includes('--tail=-1'))).toEqual([])
    const inPods = commandsOf(text, 'kubectl exec ')
    expect(inPods.filter((command) => !/ -- node /.test(command))).toEqual([])
    // These need the name of a release or of a workload.
    expect(text).not.toMatch(/`(?:helm rollback|kubectl rollout \w+|kubectl scale --[^`]*)`/)
  })

  it('names panels that exist', () => {
    const titles = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels.map(({ title }) => title)))
    const quoted = [...text.matchAll(/“([A-Z][^”]+)”/g)].map(([, title]) => title!)
    expect(quoted.filter((title) => !titles.includes(title) && !['Refused'].includes(title))).toEqual([])
  })

  it('names settings that exist', async () => {
    const known = await settingPaths()
    const sections = new Set([...known].map((path) => path.split('.')[0]!))
    const named = codeOf(text).filter((code) => /^[a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+$/.test(code))
    const isSetting = (code: string): boolean => [...known].some((path) => path === code || path.startsWith(`${code}.`))
    expect(named.filter((code) => sections.has(code.split('.')[0]!) && !isSetting(code))).toEqual([])
  })
})

it('the runbooks show commands of Freshet', () => {
  expect(runbooks.flatMap(([, text]) => commandsOf(text, 'npx freshet ')).length).toBeGreaterThan(10)
})
