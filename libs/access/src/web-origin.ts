import { z } from 'zod'

/** A web origin, or `*`: not `null`, which every sandboxed frame and every page from a file has. */
const pattern = /^(\*|https?:\/\/[a-z0-9.-]+(:\d{1,5})?)$/
const problem = 'is not a web origin such as https://www.example.org, without a path (pages from files have none)'

/** A setting with a web origin, or `*` for all. */
export const webOriginSchema = z.string().regex(pattern, problem)
