import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { aTerminal } from '../operations/terminal.fixture.ts'
import { runConnectorsCheck, type CheckArguments } from './check.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-connectors-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function check(mapping: unknown, events?: unknown, given: CheckArguments = {}): Promise<readonly string[]> {
  const terminal = aTerminal()
  const [file, sample] = [join(folder, 'mapping.json'), join(folder, 'sample.json')]
  writeFileSync(file, JSON.stringify(mapping))
  writeFileSync(sample, JSON.stringify(events ?? null))
  const nowMs = Date.UTC(2026, 0, 31, 12)
  const run = runConnectorsCheck(file, { ...given, ...(events !== undefined && { event: sample }) }, terminal, nowMs)
  await run.catch((error: unknown) => {
    terminal.write((error as Error).message)
  })
  return terminal.printed.join('').replaceAll(folder, '').trim().split('\n')
}

const mapping = { segment: { identify: 'drop', events: { 'Item Loved': 'save', Heartbeat: null } } }

describe('freshet connectors check', () => {
  it('says what a mapping covers', async () => {
    expect(await check(mapping)).toEqual([
      'cloudevents: 26 names with a rule, 0 dropped',
      'segment: 27 names with a rule, 1 dropped; identify: drop',
      'json: 26 names with a rule, 0 dropped',
    ])
  })

  it('lists all mistakes with their places', async () => {
    expect(await check({ segment: { events: { A: 'b' } }, other: 1 })).toEqual([
      '/mapping.json has 2 mistakes:',
      '  other is not known here; known are cloudevents, segment, json, defaults',
      expect.stringMatching(/^ {2}segment\.events\["A"\] is the string "b"; give one of /) as string,
    ])
  })

  it('shows how events of each form would be read, and what is wrong with them by place', async () => {
    const batch = [
      { type: 'track', messageId: 'm1', event: 'Item Loved', userId: 'u', properties: { pin_id: 'p' } },
      { type: 'track', messageId: 'm2', event: 'Heartbeat', userId: 'u' },
      { type: 'track', messageId: 'm3', event: 'Item Loved', userId: 'u' },
      { specversion: '1.0', id: '1', source: '/a', type: 'click', data: { userId: 'u', pinId: 'p' } },
      { event: 'click', user_id: 'u', pin_id: 7 },
    ]
    expect(await check(mapping, { batch })).toEqual([
      'batch[0]: {"eventId":"m1","action":"save","occurredAt":"2026-01-31T12:00:00.000Z","userId":"u","pinId":"p"}',
      'batch[1]: skipped (dropped): the mapping file drops events named "Heartbeat"',
      'batch[2]: rejected',
      'batch[2]:   EVENT_FIELD_MISSING: batch[2].pinId is missing; give the pin of the save (mapped from properties.pinId or properties.pin_id or properties.product_id)',
      expect.stringMatching(/^batch\[3\]: \{"eventId":"ce-.{27}","action":"click",/) as string,
      expect.stringMatching(/^batch\[4\]: \{"eventId":"sample-.{27}","action":"click",.*"pinId":"7"\}$/) as string,
      '1 of 5 events would be rejected',
    ])
  })

  it('reads an event in the form that --format names', async () => {
    const event = { event: 'click', userId: 'u', pinId: 'p' }
    expect((await check(mapping, event, { format: 'cloudevents' }))[1]).toMatch(
      /EVENT_FIELD_MISSING: specversion is missing/,
    )
    expect((await check(mapping, event, { format: 'avro' }))[0]).toMatch(
      /--format is avro; give one of cloudevents, segment/,
    )
  })
})
