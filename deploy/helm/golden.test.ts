import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chartFolder, ciValues, helm, valueSets } from './rendered.ts'

/** Rules and dashboards are files of the chart, which monitoring.test.ts compares. */
const fromFiles = /^kind: (ConfigMap|PrometheusRule)$/m

/** The manifests of a set of values, one by one, without those of files. */
function manifests(name: string): readonly string[] {
  const { code, stdout, stderr } = helm(4, 'template', 'freshet', chartFolder, '--namespace', 'feeds', ...ciValues(name))
  expect(code, stderr).toBe(0)
  return stdout.split(/^---$/m).filter((manifest) => !fromFiles.test(manifest))
}

describe('manifests of the chart', () => {
  it.each(valueSets)('are unchanged with the values %s (`npm run golden:update` renders them again)', async (name) => {
    const usual = new Set(name === 'least' ? [] : manifests('least'))
    // Of the other sets only what differs from the least values.
    const own = manifests(name).filter((manifest) => !usual.has(manifest))
    await expect(own.join('---')).toMatchFileSnapshot(join(import.meta.dirname, `golden/${name}.yaml`))
  })
})
