// A thread that writes the chosen pictures: reading their packages takes 200 MB for a moment.
import { workerData } from 'node:worker_threads'
import { writePack } from './pack.ts'

writePack(workerData as string)
