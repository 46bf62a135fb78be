// Trains the model that `npm start` begins with: the users of the sample look at feeds for eight virtual hours. Run it after a change of the
// shipped spec (a test says so), and commit the file.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createProgress } from '@freshet/service/progress'
import { trainOnSample } from '../src/dev/sample-loop.ts'
import { sampleModelFile } from '../src/dev/sample-model.ts'

const [hours, feedsPerHour, maxPins] = [8, 40, 10_000]
const progress = createProgress({
  label: 'feeds of the sample',
  unit: 'feeds',
  total: hours * feedsPerHour,
  out: process.stderr,
  nowMs: () => performance.now(),
})
const model = await trainOnSample({ hours, feedsPerHour, maxPins, onFeed: () => progress.advance() })
progress.done()
if (model === null) throw new Error('the gate let no model pass')
await mkdir(dirname(sampleModelFile), { recursive: true })
await writeFile(sampleModelFile, model)
process.stdout.write(`${sampleModelFile}: ${model.length} bytes\n`)
