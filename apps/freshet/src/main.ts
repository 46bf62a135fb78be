import { createCommandLine } from './command-line.ts'

await createCommandLine().parseAsync(process.argv)
