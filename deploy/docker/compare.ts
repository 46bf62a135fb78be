/**
 * Compares the files of two images: names, contents, modes, owners and times. Prints what differs; exit code 1 if anything does.
 *
 *   npx node deploy/docker/compare.ts IMAGE IMAGE
 */
import { filesOf } from '../../test/harness/images.ts'

const [one, other] = process.argv.slice(2)
if (one === undefined || other === undefined) {
  console.error('usage: npx node deploy/docker/compare.ts IMAGE IMAGE')
  process.exit(78)
}
const byPath = async (image: string): Promise<ReadonlyMap<string, string>> =>
  new Map((await filesOf(image)).map((file) => [file.path, JSON.stringify(file)]))
const [first, second] = [await byPath(one), await byPath(other)]
const different = [...new Set([...first.keys(), ...second.keys()])].filter(
  (path) => first.get(path) !== second.get(path),
)
for (const path of different.sort())
  console.log(`${path}\n  ${first.get(path) ?? 'is missing'}\n  ${second.get(path) ?? 'is missing'}`)
console.log(`${different.length} of ${first.size} files differ`)
process.exitCode = different.length === 0 ? 0 : 1
