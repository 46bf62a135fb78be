/**
 * Builds the images and prints their sizes as the table of README.md: `npx node deploy/docker/figures.ts`. `--update` writes it there.
 * MB are 10⁶ bytes, uncompressed, as `docker images` prints them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildImage, docker, imageNames, tagOf } from '../../test/harness/images.ts'

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
const rows: string[] = []
for (const name of imageNames) {
  await buildImage(name)
  const total = Number(await docker(['image', 'inspect', '--format', '{{.Size}}', tagOf(name)]))
  const layers = (await docker(['history', '--human=false', '--format', '{{.Size}}', tagOf(name)]))
    .trim()
    .split('\n')
    .map(Number)
    .filter((bytes) => bytes > 100_000)
    .reverse()
  rows.push(
    `| ${[name, total, ...layers].map((cell) => (typeof cell === 'number' ? (cell < 1e7 ? (cell / 1e6).toFixed(1) : megabytes(cell)) : cell)).join(' | ')} |`,
  )
}
const table = ['| image | MB | node and system | packages | code |', '|---|---|---|---|---|', ...rows].join('\n')
console.log(table)
if (process.argv.includes('--update')) {
  const file = join(import.meta.dirname, 'README.md')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/\| image \| MB[\s\S]*?\n(?!\|)/, `${table}\n`))
}
