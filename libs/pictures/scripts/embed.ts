// Embeds all pictures and writes the file that ships, so that a first start need not: `npm run -w @freshet/pictures embed`. Run it after a change of
// the packages or of how pictures are chosen, drawn and embedded, and commit the file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embedAll } from '../src/embed-all.ts'
import { openPack, writePack } from '../src/pack.ts'
import { shipEmbeddings } from '../src/shipped.ts'

const folder = mkdtempSync(join(tmpdir(), 'pictures-'))
try {
  writePack(folder)
  const pack = openPack(folder)
  const total = pack.pictures.length
  pack.close()
  shipEmbeddings(await embedAll(folder, total, () => undefined))
  process.stdout.write(`embedded ${total} pictures\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
