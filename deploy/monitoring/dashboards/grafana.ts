import type { Dashboard, Panel } from './panel.ts'

const source = { type: 'prometheus', uid: '${datasource}' } as const
const columns = 24
const panelsInRow = 3
const heights = { graph: 8, stat: 6 } as const

/** The JSON model of a dashboard, for Grafana 9 or later. */
export function grafanaDashboard({ uid, title, description, rows }: Dashboard): object {
  const panels: object[] = []
  let [id, y] = [1, 0]
  for (const row of rows) {
    panels.push({
      id: id++,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: columns, x: 0, y: y++ },
      panels: [],
    })
    for (let first = 0; first < row.panels.length; first += panelsInRow) {
      const line = row.panels.slice(first, first + panelsInRow)
      const h = Math.max(...line.map(({ kind = 'graph' }) => heights[kind]))
      const w = columns / Math.min(panelsInRow, row.panels.length)
      line.forEach((panel, column) => panels.push(panelModel(panel, id++, { h, w, x: column * w, y })))
      y += h
    }
  }
  return {
    uid,
    title,
    description,
    tags: ['freshet'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      { type: 'dashboards', title: 'Freshet', tags: ['freshet'], asDropdown: true, includeVars: true, keepTime: true },
    ],
    annotations: { list: [] },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
        variable('namespace', 'Namespace', 'label_values(freshet_service_ready, namespace)'),
        variable('release', 'Release', 'label_values(freshet_service_ready{namespace=~"$namespace"}, release)'),
      ],
    },
    panels,
  }
}

function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource: source,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    includeAll: true,
    // Also what has no such label: a process that was not installed by the chart.
    allValue: '.*',
    multi: true,
    current: { text: 'All', value: '$__all' },
    sort: 1,
    hide: 0,
  }
}

function panelModel(
  { title, description, unit, queries, kind = 'graph', empty }: Panel,
  id: number,
  gridPos: object,
): object {
  return {
    id,
    title,
    description: empty === undefined ? description : `${description} Empty ${empty}.`,
    type: kind === 'graph' ? 'timeseries' : 'stat',
    datasource: source,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        ...(kind === 'graph'
          ? {
              min: 0,
              custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: false },
            }
          : { color: { mode: 'fixed', fixedColor: 'text' } }),
      },
      overrides: [],
    },
    options:
      kind === 'graph'
        ? {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          }
        : {
            reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
            textMode: 'value_and_name',
            colorMode: 'value',
            graphMode: 'area',
          },
    targets: queries.map(([expr, legendFormat], at) => ({
      datasource: source,
      refId: String.fromCharCode(65 + at),
      expr,
      legendFormat,
      range: true,
    })),
  }
}
