import { commandLine } from './command-line.ts'

await commandLine().parseAsync(process.argv)
