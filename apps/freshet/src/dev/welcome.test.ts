import { describe, expect, it } from 'vitest'
import { welcome } from './welcome.ts'

const listening = {
  ...{ consolePort: 8090, isTls: false, ingestPort: 8080, feedPort: 8070, grpcPort: 7070, operationsPort: 9464 },
  ...{ folder: '.freshet/data', adminPort: null, reachable: false },
}

describe('what npm start prints', () => {
  it('has the address of the page, and saves a picture of the sample', () => {
    const text = welcome({ ...listening, hasPictures: true })
    expect(text).toContain('http://localhost:8090')
    expect(text).toContain('"pinId":"noto-cat-face"')
    expect(text).not.toContain('other data')
  })

  it('names no picture of the sample where the folder holds other data, and says how to see the sample', () => {
    const text = welcome({ ...listening, hasPictures: false })
    expect(text).not.toContain('noto-cat-face')
    expect(text).toContain('npm start -- --data.folder .freshet/data-sample')
  })
})
