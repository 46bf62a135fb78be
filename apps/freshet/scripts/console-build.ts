/**
 * Builds the page of the console: `npm run console:build`. `npm start` does it too, when the sources have changed.
 */
import { buildPage, ownPage } from '../src/console/page/build.ts'

await buildPage(ownPage)
