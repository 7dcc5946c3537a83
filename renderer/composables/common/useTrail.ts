import { onScopeDispose, watchEffect } from 'vue'
import { useAppStore, type TrailStep } from '../../stores/app.store.ts'

/** Says where the view stands: the steps before it, the view itself last. Follows what the function reads. */
export function useTrail(steps: () => TrailStep[]): void {
  const app = useAppStore()
  let mine: TrailStep[] = []
  watchEffect(() => {
    mine = steps()
    app.setTrail(mine)
  })
  // The next view has usually set its own already; only an unclaimed trail is taken away.
  onScopeDispose(() => app.clearTrail(mine))
}
