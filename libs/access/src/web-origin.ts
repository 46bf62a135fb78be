import { z } from 'zod'

/** An origin as browsers and web views of apps (`capacitor://localhost`) send it, or `*`: not `null`, which every sandboxed frame and every page from a file has. */
const pattern = /^(\*|[a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?)$/
const problem = 'is not a web origin such as https://www.example.org, without a path (pages from files have none)'

/** A setting with a web origin, or `*` for all. */
export const webOriginSchema = z.string().regex(pattern, problem)
