import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { artefactStoreContract } from '../suites/artefact-store.suite.ts'
import { createFolderArtefactStore } from './artefact-store.ts'

artefactStoreContract('folder', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'freshet-artefacts-'))
  const folder = join(parent, 'made', 'when-needed')
  return {
    store: createFolderArtefactStore(folder),
    another: () => createFolderArtefactStore(folder),
    close: () => rm(parent, { recursive: true }),
  }
})

test('list omits half-written files, links and foreign files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-artefacts-'))
  try {
    const store = createFolderArtefactStore(folder)
    await store.put('model', new Uint8Array([1]))
    await writeFile(join(folder, 'model.0b2c~'), 'half')
    await writeFile(join(folder, '.DS_Store'), 'foreign')
    await symlink('/etc', join(folder, 'link'))
    expect(await store.list('')).toEqual(['model'])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a failed put leaves no file behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-artefacts-'))
  try {
    const store = createFolderArtefactStore(folder)
    await store.put('a/b', new Uint8Array([1]))
    await expect(store.put('a', new Uint8Array([2]))).rejects.toMatchObject({ code: 'ARTEFACT_NAME' })
    await expect(store.put('a/b/c', new Uint8Array([2]))).rejects.toMatchObject({ code: 'ARTEFACT_NAME' })
    expect(await readdir(folder)).toEqual(['a'])
    expect(await store.get('a/b')).toEqual(new Uint8Array([1]))
  } finally {
    await rm(folder, { recursive: true })
  }
})
