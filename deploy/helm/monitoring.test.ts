import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { chartFolder, ciValues, helm, needed, ofKind, plainVariables, podOf, render, set, workloads } from './rendered.ts'

const rules = join(chartFolder, 'files/rules.yaml')
const dashboards = join(chartFolder, 'files/dashboards')
const files = readdirSync(dashboards).filter((file) => file.endsWith('.json'))

describe('monitoring', () => {
  it('is off unless it is asked for', () => {
    expect(render(needed).filter(({ kind }) => ['PodMonitor', 'PrometheusRule', 'ConfigMap'].includes(kind))).toEqual([])
  })

  it('a PodMonitor selects the pods of all services, by the port that they all have', () => {
    const resources = render(ciValues('monitoring'))
    const [monitor] = ofKind(resources, 'PodMonitor')
    expect(monitor).toMatchObject({ metadata: { labels: { release: 'prometheus' } } })
    const { selector, podMetricsEndpoints } = monitor!.spec as unknown as { selector: { matchLabels: Record<string, string> }; podMetricsEndpoints: object[] }
    expect(podMetricsEndpoints).toMatchObject([{ port: 'operations', path: '/metrics', interval: '10s' }])
    expect(podMetricsEndpoints[0]).not.toHaveProperty('scheme')
    expect(podMetricsEndpoints[0]).toMatchObject({ honorLabels: true, relabelings: [{ targetLabel: 'release' }] })
    for (const workload of workloads(resources)) {
      expect(workload.spec.template!.metadata.labels).toMatchObject(selector.matchLabels)
      if (workload.kind !== 'Job') expect(podOf(workload).containers[0].ports!.map(({ name }) => name)).toContain('operations')
    }
  })

  it('a ServiceMonitor selects the pods of all services by a Service for it alone, and gives metrics the same labels', () => {
    const args = [...ciValues('monitoring'), '--set', 'monitoring.podMonitor.enabled=false,monitoring.serviceMonitor.enabled=true']
    const resources = render(args)
    expect(ofKind(resources, 'PodMonitor')).toEqual([])
    const [monitor] = ofKind(resources, 'ServiceMonitor')
    const { selector, endpoints } = monitor!.spec as unknown as { selector: { matchLabels: Record<string, string> }; endpoints: object[] }
    const selected = ofKind(resources, 'Service').filter(({ metadata }) => Object.entries(selector.matchLabels).every(([name, value]) => metadata.labels[name] === value))
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(['freshet-metrics'])
    expect(endpoints).toMatchObject([{ port: 'operations', path: '/metrics', honorLabels: true, relabelings: [{ targetLabel: 'job' }, { targetLabel: 'release' }] }])
    const service = selected[0]!.spec as unknown as { selector: Record<string, string>; publishNotReadyAddresses: boolean; ports: object[] }
    expect(service).toMatchObject({ publishNotReadyAddresses: true, ports: [{ name: 'operations', targetPort: 'operations' }] })
    for (const workload of workloads(resources)) expect(workload.spec.template!.metadata.labels).toMatchObject(service.selector)
    expect(() => render([...args, '--set', 'monitoring.podMonitor.enabled=true'])).toThrow(/count everything twice/)
  })

  it('a PodMonitor and the probes speak TLS where the operations ports do', () => {
    const resources = render([...ciValues('monitoring'), '--set', 'tls.operations=true'])
    const [monitor] = ofKind(resources, 'PodMonitor')
    expect(monitor!.spec).toMatchObject({ podMetricsEndpoints: [{ scheme: 'https', tlsConfig: { ca: { secret: { name: 'freshet-ca' } } } }] })
    for (const workload of workloads(resources)) {
      if (workload.kind === 'Job') continue
      const [container] = podOf(workload).containers
      expect(plainVariables(workload)['FRESHET_TLS_OPERATIONS'], workload.metadata.name).toBe('true')
      for (const probe of [container.livenessProbe, container.readinessProbe]) expect(probe).toMatchObject({ httpGet: { scheme: 'HTTPS' } })
    }
    expect(() => render(set('tls.operations=true'))).toThrow(/tls\.serverSecret\.name/)
    expect(() => render(set('services.ranker.config.TLS_OPERATIONS=true'))).toThrow(/set tls\.operations/)
  })

  it('the rules are those of files/rules.yaml', () => {
    const [rule] = ofKind(render(ciValues('monitoring')), 'PrometheusRule')
    expect(rule!.metadata.labels['release']).toBe('prometheus')
    expect(rule!.spec).toEqual(parse(readFileSync(rules, 'utf8')))
  })

  it('a dashboard is a ConfigMap with the bytes of its file', () => {
    const maps = ofKind(render(ciValues('monitoring')), 'ConfigMap') as unknown as { metadata: { labels: object; annotations: object }; data: Record<string, string> }[]
    expect(maps).toHaveLength(files.length)
    expect(maps.length).toBeGreaterThan(0)
    for (const file of files) {
      const found = maps.find(({ data }) => `freshet-${file}` in data)
      expect(found?.data[`freshet-${file}`], file).toBe(readFileSync(join(dashboards, file), 'utf8'))
      expect(found!.metadata).toMatchObject({ labels: { grafana_dashboard: '1' }, annotations: { grafana_folder: 'Freshet' } })
    }
  })

  it('helm finds the files in the packaged chart too', () => {
    const { stdout } = helm(4, 'show', 'chart', chartFolder)
    expect(stdout).toContain('name: freshet')
    expect(readFileSync(join(chartFolder, '.helmignore'), 'utf8')).not.toContain('files')
  })
})
