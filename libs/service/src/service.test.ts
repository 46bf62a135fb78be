import { describe, expect, it } from 'vitest'
import { createService, type Component, type ServiceState } from './service.ts'

function recorded() {
  const steps: string[] = []
  const errors: string[] = []
  const service = createService({
    name: 'demo',
    stopTimeoutMs: 50,
    onStopError: (component, error) => errors.push(`${component}: ${(error as Error).message}`),
  })
  const part = (name: string, more: Partial<Component> = {}): Component => ({
    name,
    drain: async () => void steps.push(`drain ${name}`),
    close: async () => void steps.push(`close ${name}`),
    ...more,
  })
  return { service, steps, errors, part }
}

describe('a service', () => {
  it('goes through starting → ready → draining → stopped, and reports each state', async () => {
    const { service } = recorded()
    const states: ServiceState[] = [service.state()]
    service.onState((state) => states.push(state))
    await service.start(async () => undefined)
    await service.stop()
    expect(states).toEqual(['starting', 'ready', 'draining', 'stopped'])
  })

  it('drains all parts before it closes any, in reverse order', async () => {
    const { service, steps, part } = recorded()
    await service.start(async () => {
      service.use(part('log'))
      service.use(part('server'))
    })
    await Promise.all([service.stop(), service.stop()])
    expect(steps).toEqual(['drain server', 'drain log', 'close server', 'close log'])
  })

  it('is ready after the start if every part is ready', async () => {
    const { service, part } = recorded()
    let reason: string | null = 'catching up'
    expect(service.readiness()).toMatchObject({ ok: false, reasons: ['demo: starting'] })
    await service.start(async () => service.use(part('view', { notReady: () => reason })))
    expect(service.readiness()).toEqual({ state: 'ready', ok: false, reasons: ['view: catching up'] })
    reason = null
    expect(service.readiness().ok).toBe(true)
    await service.stop()
    expect(service.readiness()).toMatchObject({ ok: false, reasons: ['demo: stopped'] })
  })

  it('says while it starts what it waits for', async () => {
    const { service, part } = recorded()
    await service.start(async () => {
      service.use(part('store', { notReady: () => 'the login was refused' }))
      const reasons = ['demo: starting', 'store: the login was refused']
      expect(service.readiness()).toEqual({ state: 'starting', ok: false, reasons })
    })
  })

  it('stays alive while not ready', async () => {
    const { service, part } = recorded()
    await service.start(async () => service.use(part('view', { notReady: () => 'no' })))
    expect(service.liveness().ok).toBe(true)
    service.use(part('reader', { notAlive: () => 'stalled' }))
    expect(service.liveness()).toMatchObject({ ok: false, reasons: ['reader: stalled'] })
  })

  it('closes the opened parts when the start fails, and rejects with the error', async () => {
    const { service, steps, part } = recorded()
    const start = service.start(async () => {
      service.use(part('log'))
      throw new Error('no port')
    })
    await expect(start).rejects.toThrow('no port')
    expect(steps).toEqual(['drain log', 'close log'])
    expect(service.state()).toBe('stopped')
  })

  it('closes the other parts when one part fails', async () => {
    const { service, steps, errors, part } = recorded()
    await service.start(async () => {
      service.use(part('log'))
      service.use(part('server', { drain: () => Promise.reject(new Error('broken')) }))
    })
    await service.stop()
    expect(errors).toEqual(['server: broken'])
    expect(steps).toEqual(['drain log', 'close server', 'close log'])
  })

  it('is forced to stop after its time limit, and reports what it waited for', async () => {
    const { service, part } = recorded()
    await service.start(async () => service.use(part('reader', { drain: () => new Promise(() => undefined) })))
    await expect(service.stop()).rejects.toMatchObject({
      code: 'STOP_FORCED',
      message: 'demo did not stop within 50 ms: waiting for reader (drain)',
    })
    expect(service.state()).toBe('stopped')
  })
})
