import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { cardOf, drawnPins, feedOf, feedReflects, focusedPin, overhang } from './page.ts'
import { describeConsole } from './suite.ts'

describeConsole('the views of the console', ({ server, open }) => {
  it('keeps the saves of two tabs', async () => {
    const first = await open({ userId: 'hana' })
    const second = await first.tab()
    const save = async (page: Page, at: number): Promise<string> => {
      await page.bringToFront()
      const pin = (await feedOf(page))[at]!
      const card = cardOf(page, pin)
      await card.hover()
      await card.getByRole('button', { name: 'Save', exact: true }).click()
      await feedReflects(page, 'Saved')
      return pin
    }
    await feedOf(second)
    const saves = [await save(first.page, 0), await save(second, 1), await save(first.page, 2)]
    for (const pin of saves) {
      await first.page.goto(`${server().url}/pin/${pin}`)
      await first.page.locator('.opened').getByRole('button', { name: 'Saved', exact: true }).waitFor()
    }
    const state = await eventually(
      'the saves of both',
      async () => {
        const answer = await fetch(`${server().url}/api/operations/freshet/v1/users/hana/state`)
        const text = await answer.text()
        return saves.every((pin) => text.includes(pin)) ? text : null
      },
      10_000,
    )
    expect(state).toContain(saves[0])
  })

  it.each([
    ['/nowhere/at-all', 'Nothing is here'],
    ['/operate/nothing', 'Nothing is here'],
    ['/pin/nobody-has-this', 'There is no such pin'],
  ])('says that nothing is at %s, and leads back to the feed', async (path, title) => {
    const { page } = await open({ path })
    await page.getByRole('heading', { name: title }).waitFor()
    await page.getByRole('link', { name: 'Go to the feed' }).click()
    await feedOf(page)
    await page.getByRole('heading', { name: title }).waitFor({ state: 'detached' })
  })

  it('works on a phone', async () => {
    const { page } = await open({ isPhone: true })
    const pins = await feedOf(page)
    expect(await overhang(page)).toBe(0)
    const card = cardOf(page, pins[0]!)
    await card.getByRole('button', { name: /^Open/ }).tap()
    const openedPin = page.locator('.opened')
    await openedPin.getByRole('button', { name: 'Save', exact: true }).tap()
    await openedPin.getByRole('button', { name: 'Saved', exact: true }).waitFor()
    await feedOf(page, 'Related pins')
    await page.getByRole('button', { name: 'Back to the feed' }).tap()
    await feedOf(page)
    await card.getByRole('button', { name: /^More about/ }).tap()
    await page.getByRole('menuitem', { name: 'Hide' }).tap()
    await eventually('the pin to go', async () => ((await card.count()) === 0 ? true : null), 2_000)
    await page.getByRole('link', { name: 'System' }).tap()
    await page.getByRole('heading', { name: 'System', level: 1 }).waitFor()
    expect(await overhang(page)).toBe(0)
  })

  it('needs no mouse', async () => {
    const { page } = await open()
    await feedOf(page)
    await page.keyboard.press('Tab')
    await page.getByRole('link', { name: 'Skip to content' }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    const first = await focusedPin(page)
    expect(first).not.toBe('')
    await page.keyboard.press('ArrowRight')
    const second = await focusedPin(page)
    expect(second).not.toBe(first)
    await page.keyboard.press('ArrowDown')
    expect(await focusedPin(page)).not.toBe(second)
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('s')
    await feedReflects(page, 'Saved')
    expect(await focusedPin(page)).toBe(second)
    await page.keyboard.press('w')
    await page.getByRole('dialog', { name: 'Why this pin' }).waitFor()
    await page.keyboard.press('Escape')
    await eventually('the focus to come back', async () => ((await focusedPin(page)) === second ? true : null), 3_000)
    await page.keyboard.press('Enter')
    await page.locator('.opened').waitFor()
    await page.keyboard.press('Escape')
    await eventually('the focus to come back', async () => ((await focusedPin(page)) === second ? true : null), 3_000)
    await page.keyboard.press('ArrowRight')
    const hidden = await focusedPin(page)
    await page.keyboard.press('h')
    await feedReflects(page, 'Hidden')
    expect(await drawnPins(page)).not.toContain(hidden)
    expect(await focusedPin(page)).not.toBe('')
  })
})
