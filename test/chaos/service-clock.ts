import type { ServiceName } from '../harness/processes.ts'

type EnvOf = Partial<Record<ServiceName, Readonly<Record<string, string>>>>

/** Environments in which the wall clocks of services are off. Timers and monotonic clocks stay as they are. */
export function clockShift(byService: Readonly<Partial<Record<ServiceName, number>>>): EnvOf {
  return Object.fromEntries(
    Object.entries(byService).map(([name, ms]) => [name, { NODE_OPTIONS: `--import=${moduleThatShifts(ms)}` }]),
  )
}

function moduleThatShifts(ms: number): string {
  const source = `const T=Date;globalThis.Date=class Date extends T{constructor(...a){a.length===0?super(T.now()+${ms}):super(...a)}static now(){return T.now()+${ms}}}`
  return `data:text/javascript,${encodeURIComponent(source)}`
}
