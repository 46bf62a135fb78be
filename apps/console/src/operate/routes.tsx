import { lazy, Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { NotFound } from '../shell/not-found.tsx'
import { Skeleton } from '../ui/states.tsx'

// Apart from the feed, so that the first visit does not load them.
const PipelineView = lazy(() => import('./pipeline/view.tsx').then((file) => ({ default: file.PipelineView })))
const SourcesView = lazy(() => import('./sources/view.tsx').then((file) => ({ default: file.SourcesView })))
const ModelsView = lazy(() => import('./models/view.tsx').then((file) => ({ default: file.ModelsView })))
const ExperimentsView = lazy(() => import('./experiments/view.tsx').then((file) => ({ default: file.ExperimentsView })))
const UserView = lazy(() => import('./users/view.tsx').then((file) => ({ default: file.UserView })))
const PinView = lazy(() => import('./pins/view.tsx').then((file) => ({ default: file.PinView })))
const ImportView = lazy(() => import('./import/view.tsx').then((file) => ({ default: file.ImportView })))
const SystemView = lazy(() => import('./system/view.tsx').then((file) => ({ default: file.SystemView })))

/** The operator's views by path. */
export function OperatorRoutes() {
  return (
    <Suspense fallback={<Skeleton lines={6} />}>
      <Switch>
        <Route path="/operate/pipeline" component={PipelineView} />
        <Route path="/operate/sources" component={SourcesView} />
        <Route path="/operate/models" component={ModelsView} />
        <Route path="/operate/experiments" component={ExperimentsView} />
        <Route path="/operate/users/:userId?" component={UserView} />
        <Route path="/operate/pins/:pinId?" component={PinView} />
        <Route path="/operate/import" component={ImportView} />
        <Route path="/operate/system" component={SystemView} />
        <Route path="/operate">
          <Redirect to="/operate/pipeline" />
        </Route>
        <Route component={NotFound} />
      </Switch>
    </Suspense>
  )
}
