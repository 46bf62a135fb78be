import { expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { axeViolations } from './axe.ts'
import { everyView } from './every-view.ts'
import { feedOf } from './page.ts'
import { describeConsole } from './suite.ts'

/** An odd delimiter, a quoted delimiter, and a wrong time in line 4. */
const csv = [
  'user_id^item_id^timestamp^event',
  'import-ann^noto-cat-face^2026-11-01T10:00:00Z^save',
  'import-ann^"noto^cat"^2026-11-01T10:01:00Z^click',
  'import-ben^noto-cat-face^yesterday^click',
  'import-ben^noto-dog-face^2026-11-01T11:00:00Z^save',
  '',
].join('\n')

describeConsole('the operator’s side of the console', ({ server, open }) => {
  it('imports a CSV with an odd delimiter, and names the wrong row with its line', async () => {
    const { page } = await open({ path: '/operate/import' })
    await page
      .getByLabel('Files to import')
      .setInputFiles({ name: 'history.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
    await page.getByRole('heading', { name: 'history.csv' }).waitFor()
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByText('imported', { exact: true }).waitFor({ timeout: 60_000 })
    const countOf = (line: string): Promise<string> =>
      page
        .getByRole('row', { name: new RegExp(`^${line}`) })
        .getByRole('cell')
        .first()
        .innerText()
    expect(await Promise.all(['Read', 'Accepted', 'Refused'].map(countOf))).toEqual(['4', '3', '1'])
    const refused = page.getByRole('region', { name: 'Refused rows', exact: true })
    expect(await refused.getByRole('row').nth(1).innerText()).toMatch(/\b4\b/)
    const state = await eventually(
      'the state of an imported user',
      async () => {
        const answer = await fetch(`${server().url}/api/operations/freshet/v1/users/import-ann/state`)
        const text = await answer.text()
        return text.includes('noto-cat-face') ? text : null
      },
      20_000,
    )
    expect(state).toContain('noto^cat')
  })

  it.each(
    everyView.flatMap((view) => (['light', 'dark', 'phone'] as const).map((look) => [view.name, look, view] as const)),
  )('has no violation that axe finds: %s, %s', async (_name, look, view) => {
    const how = look === 'phone' ? { isPhone: true } : { theme: look }
    const { page } = await open({ path: view.path, ...how, userId: 'ada' })
    await view.prepare(page)
    expect(await axeViolations(page)).toEqual([])
  })

  it('shows that the services are gone, and recovers without a reload', async () => {
    const { page } = await open()
    const system = await open({ path: '/operate/system' })
    const before = await feedOf(page)
    await system.page.getByRole('heading', { name: 'System', level: 1 }).waitFor()
    await page.evaluate(`globalThis.isSamePage = true`)
    await server().process.stop()
    await eventually(
      'the feed to say so',
      async () => {
        await page.mouse.wheel(0, 2_000)
        return (await page.getByRole('alert').count()) > 0 ? true : null
      },
      20_000,
    )
    await system.page
      .getByText(/page tries again by itself/)
      .first()
      .waitFor()
    await server().process.start(280_000)
    await page.getByRole('alert').waitFor({ state: 'detached', timeout: 60_000 })
    await system.page
      .getByText(/page tries again by itself/)
      .first()
      .waitFor({ state: 'detached', timeout: 60_000 })
    expect((await feedOf(page)).some((pin) => !before.includes(pin))).toBe(true)
    expect(await page.evaluate(`globalThis.isSamePage`)).toBe(true)
  })
})
